// swift-tools-version: 6.1

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// A room of the house: a target under Sources/ and, where it has tests, one under Tests/.
func room(
    _ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = []
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func command(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies + [.product(name: "ArgumentParser", package: "swift-argument-parser")],
        swiftSettings: strict)
}

let package = Package(
    name: "rrr",
    products: [
        .executable(name: "rrr-coordinator", targets: ["rrr-coordinator"]),
        .executable(name: "rrr-worker", targets: ["rrr-worker"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C libraries and generated C.
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "CProtobufC"),
        .systemLibrary(name: "CSodium"),
        .systemLibrary(name: "COpenBLAS"),
        .target(name: "CWireMessages", dependencies: ["CProtobufC"]),
        // Always optimised: the numerics of a debug build are the same bits, and its tests stay quick.
        .target(
            name: "CVectorMath", exclude: ["coefficients.py"], cSettings: [.unsafeFlags(["-O3"])],
            linkerSettings: [.linkedLibrary("m")]),

        // Numerics.
        room("VectorMath", ["CVectorMath"]),
        room("RandomStreams", ["VectorMath", "CVectorMath"]),
        // Its tests look inside, in release builds too: they compute every node anew in double precision.
        room("TensorGraph", ["CVectorMath", "COpenBLAS"], settings: [.unsafeFlags(["-enable-testing"])]),
        room("EnergyModels", ["TensorGraph", "VectorMath"]),
        room("Training", ["EnergyModels", "TensorGraph"]),
        room("Composition", ["EnergyModels", "VectorMath"]),
        room("Sampling", ["Composition", "EnergyModels", "RandomStreams", "VectorMath"]),

        // Files.
        room("ContentHash", ["CSodium"]),
        room("StrictJSON"),
        room("JobFile", ["StrictJSON", "ContentHash", "Composition", "EnergyModels", "Sampling"]),
        // Its tests look inside, in release builds too: they write to a full disk and lower zip64's threshold.
        room("RunFolder", ["ContentHash", "StrictJSON"], settings: [.unsafeFlags(["-enable-testing"])]),

        // The pool.
        room("Messaging", ["CZeroMQ", "CWireMessages", "CProtobufC", "ContentHash"]),
        room(
            "ModelTransfer",
            ["Messaging", "JobFile", "RunFolder", "ContentHash", .product(name: "Logging", package: "swift-log")]),
        room("PoolCore"),
        room("StopSignals"),
        room(
            "Coordinator",
            [
                "PoolCore", "Messaging", "ModelTransfer", "JobFile", "RunFolder", "ContentHash", "StrictJSON",
                .product(name: "Logging", package: "swift-log"),
            ]),
        room(
            "Worker",
            [
                "PoolCore", "Messaging", "ModelTransfer", "JobFile", "Sampling", "Composition", "EnergyModels", "VectorMath",
                "ContentHash",
                .product(name: "Logging", package: "swift-log"),
            ]),
        command(
            "rrr-coordinator",
            [
                "Coordinator", "JobFile", "RunFolder", "StopSignals", "Messaging", "ContentHash", "StrictJSON",
                .product(name: "Logging", package: "swift-log"),
            ]),
        command("rrr-worker", ["Worker", "StopSignals", .product(name: "Logging", package: "swift-log")]),

        tests("VectorMathTests", ["VectorMath"]),
        tests("RandomStreamsTests", ["RandomStreams", "VectorMath"]),
        tests("TensorGraphTests", ["TensorGraph"]),
        tests("EnergyModelsTests", ["EnergyModels", "VectorMath"]),
        tests("CompositionTests", ["Composition", "EnergyModels", "VectorMath"]),
        tests("SamplingTests", ["Sampling", "Composition", "EnergyModels", "RandomStreams", "VectorMath"]),
        tests("ContentHashTests", ["ContentHash"]),
        tests("StrictJSONTests", ["StrictJSON"]),
        tests("JobFileTests", ["JobFile", "StrictJSON", "Composition", "EnergyModels", "Sampling", "ContentHash"], exclude: ["Malformed"]),
        tests("RunFolderTests", ["RunFolder", "ContentHash"]),
        tests("MessagingTests", ["Messaging", "ContentHash", "CZeroMQ"]),
        tests("PoolCoreTests", ["PoolCore"]),
        tests("WholeSystemTests", ["RunFolder", "ContentHash"]),
    ],
    swiftLanguageModes: [.v6]
)
