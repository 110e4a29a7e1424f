// Written by coefficients.py; do not edit.

// (exp(r) - 1 - r) / r^2 on |r| <= 0.3466
static const double exp_tail[] = {
    0x1.61bfa22dd3437p-33,
    0x1.1f7f2000f4cf3p-29,
    0x1.ae642c8730352p-26,
    0x1.27e4d41d6f553p-22,
    0x1.71de3a5aa6edbp-19,
    0x1.a01a01a9e80fep-16,
    0x1.a01a01a0196aep-13,
    0x1.6c16c16c15a6cp-10,
    0x1.1111111111111p-7,
    0x1.5555555555557p-5,
    0x1.5555555555555p-3,
    0x1.0000000000000p-1,
};

// (2 atanh(s) - 2 s) / s^3 in s^2 on s <= 0.1716
static const double log_tail[] = {
    0x1.0c039c49989c6p-3,
    0x1.0fbe95d716020p-3,
    0x1.3b1c355a8f7a2p-3,
    0x1.745cf9048dd95p-3,
    0x1.c71c720159177p-3,
    0x1.2492492476cccp-2,
    0x1.9999999999a38p-2,
    0x1.5555555555555p-1,
};

// sin(2 pi r) / r in r^2 on r <= 1/8
static const double sine_tail[] = {
    -0x1.6c5b875d4e739p-1,
    0x1.e8eed12ee00a3p+1,
    -0x1.e3074b4ff3058p+3,
    0x1.50783485cbd83p+5,
    -0x1.32d2cce62ac22p+6,
    0x1.466bc6775aad9p+6,
    -0x1.4abbce625be53p+5,
    0x1.921fb54442d18p+2,
};

// cos(2 pi r) in r^2 on r <= 1/8
static const double cosine_tail[] = {
    -0x1.b264ba152378ap+0,
    0x1.f9cc41140bb60p+2,
    -0x1.a6d1ec7906c20p+4,
    0x1.e1f5068355e15p+5,
    -0x1.55d3c7e3c90f8p+6,
    0x1.03c1f081b5aacp+6,
    -0x1.3bd3cc9be45dep+4,
    0x1.0000000000000p+0,
};

// (1 + 2 x) erfcx(x) in q = (x - 4) / (x + 4), x >= 0
static const double erfcx_tail[] = {
    0x1.0967e527911a9p-30,
    0x1.afe473b552685p-30,
    -0x1.af097381d257bp-27,
    -0x1.1904891a069b4p-26,
    0x1.cad9b27d6d663p-24,
    0x1.31744dd9b56d0p-24,
    -0x1.b9339da7bf70bp-21,
    0x1.400a0021a32f1p-22,
    0x1.7f01a118598aep-18,
    -0x1.78a738afaf645p-17,
    -0x1.99551e5f87e20p-16,
    0x1.3be12bafabe1fp-13,
    -0x1.a1df4a1e543bcp-13,
    -0x1.8d4aaa8fbedbcp-11,
    0x1.49c672b9685cep-8,
    -0x1.0962386da3254p-6,
    0x1.3079edf5d9d05p-5,
    -0x1.0fb06dfee4790p-4,
    0x1.7fee004e16d41p-4,
    -0x1.9ddb23c3e0c24p-4,
    0x1.16ecefcfa5214p-4,
    0x1.f7f5df66fc17fp-7,
    -0x1.1df1ad154a28ep-3,
    0x1.3ba5916e9fd7fp+0,
};

// exp_tail for single precision
static const float expf_tail[] = {
    0x1.6d10fc0000000p-10f,
    0x1.120b620000000p-7f,
    0x1.55551a0000000p-5f,
    0x1.5554de0000000p-3f,
    0x1.0000000000000p-1f,
};

// (2^r - 1) / r on |r| <= 1/2, for single precision
static const float exp2f_tail[] = {
    0x1.44138a0000000p-13f,
    0x1.5f08900000000p-10f,
    0x1.3b2a540000000p-7f,
    0x1.c6af6c0000000p-5f,
    0x1.ebfbe00000000p-3f,
    0x1.62e4300000000p-1f,
};

// log_tail for single precision
static const float logf_tail[] = {
    0x1.ddced80000000p-3f,
    0x1.245c440000000p-2f,
    0x1.9999ec0000000p-2f,
    0x1.5555560000000p-1f,
};

