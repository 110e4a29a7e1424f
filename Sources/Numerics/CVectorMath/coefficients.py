#!/usr/bin/env python3
"""Writes coefficients.h: polynomials by Chebyshev interpolation in 60 digits (needs mpmath).

Each polynomial is fitted at the Chebyshev nodes of its interval, rewritten in powers of its
variable, rounded to its type and printed highest power first, the order Horner's rule reads it in.
"""
import struct

from mpmath import atanh, cos, erfc, exp, mp, mpf, pi, sin, sqrt
import mpmath as m

mp.dps = 60


def fit(function, low, high, degree):
    low, high = mpf(low), mpf(high)
    count = degree + 1
    nodes = [cos(pi * (k + mpf(1) / 2) / count) for k in range(count)]
    points = [(low + high) / 2 + (high - low) / 2 * x for x in nodes]
    matrix = m.matrix(count, count)
    for i, p in enumerate(points):
        for j in range(count):
            matrix[i, j] = p ** j
    return list(m.lu_solve(matrix, m.matrix([function(p) for p in points])))


def single(x):
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def show(name, comment, coefficients, type="double"):
    rounded, suffix = (single, "f") if type == "float" else (float, "")
    print(f"// {comment}")
    print(f"static const {type} {name}[] = {{")
    for c in reversed(coefficients):
        print(f"    {rounded(c).hex()}{suffix},")
    print("};\n")


def exp_tail(r):  # exp(r) = 1 + r + r^2 * tail(r)
    return (m.expm1(r) - r) / r**2 if abs(r) > 1e-20 else mpf(1) / 2


def exp2_tail(r):  # 2^r = 1 + r * tail(r)
    return m.expm1(r * m.log(2)) / r if abs(r) > 1e-20 else m.log(2)


def log_tail(z):  # log((1 + s) / (1 - s)) = 2 s + s z tail(z) with z = s^2
    s = sqrt(z)
    return (2 * atanh(s) - 2 * s) / (s * z) if z else mpf(2) / 3


def sine(z):  # sin(2 pi r) = r * sine(r^2)
    r = sqrt(z)
    return sin(2 * pi * r) / r if r else 2 * pi


def cosine(z):  # cos(2 pi r) = cosine(r^2)
    return cos(2 * pi * sqrt(z))


def scaled_erfcx(q):  # (1 + 2 x) erfcx(x) with x = 4 (1 + q) / (1 - q)
    if q == 1:
        return 2 / sqrt(pi)
    x = 4 * (1 + q) / (1 - q)
    if x > 40:
        series = 1
        term = mpf(1)
        for k in range(1, 40):
            term *= -(2 * k - 1) / (2 * x * x)
            series += term
        return (1 + 2 * x) / (x * sqrt(pi)) * series
    return (1 + 2 * x) * exp(x * x) * erfc(x)


half_log2 = m.log(2) / 2
print("// Written by coefficients.py; do not edit.\n")
show("exp_tail", "(exp(r) - 1 - r) / r^2 on |r| <= 0.3466", fit(exp_tail, -half_log2, half_log2, 11))
show("log_tail", "(2 atanh(s) - 2 s) / s^3 in s^2 on s <= 0.1716", fit(log_tail, 0, (3 - 2 * sqrt(2)) ** 2, 7))
show("sine_tail", "sin(2 pi r) / r in r^2 on r <= 1/8", fit(sine, 0, mpf(1) / 64, 7))
show("cosine_tail", "cos(2 pi r) in r^2 on r <= 1/8", fit(cosine, 0, mpf(1) / 64, 7))
show("erfcx_tail", "(1 + 2 x) erfcx(x) in q = (x - 4) / (x + 4), x >= 0", fit(scaled_erfcx, -1, 1, 23))
show("expf_tail", "exp_tail for single precision", fit(exp_tail, -half_log2, half_log2, 4), "float")
show("exp2f_tail", "(2^r - 1) / r on |r| <= 1/2, for single precision", fit(exp2_tail, -mpf(1) / 2, mpf(1) / 2, 5), "float")
show("logf_tail", "log_tail for single precision", fit(log_tail, 0, (3 - 2 * sqrt(2)) ** 2, 3), "float")
