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
        .executableTarget(
            name: "network-benchmark",
            dependencies: [
                "CAllocationCount",
                .product(name: "Networks", package: "rrr"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
