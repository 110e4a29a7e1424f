// swift-tools-version: 6.1

import PackageDescription

let package = Package(
    name: "performance",
    dependencies: [
        .package(name: "rrr", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .target(name: "CAllocationCount"),
        .target(name: "Measurement"),
        .executableTarget(
            name: "network-benchmark",
            dependencies: [
                "CAllocationCount", "Measurement",
                .product(name: "Networks", package: "rrr"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "image-benchmark",
            dependencies: [
                "CAllocationCount", "Measurement",
                .product(name: "Networks", package: "rrr"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "block-benchmark",
            dependencies: [
                "CAllocationCount", "Measurement",
                .product(name: "Networks", package: "rrr"),
                .product(name: "Blocks", package: "rrr"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
