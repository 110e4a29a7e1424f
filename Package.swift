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
        .executable(name: "rrr-model", targets: ["rrr-model"]),
        // For the benchmarks in Tests/Performance.
        .library(name: "Networks", targets: ["EnergyModels", "TensorGraph", "Training", "VectorMath"]),
        .library(name: "Blocks", targets: ["Composition", "Sampling"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // C libraries and generated C.
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "CEpoll"),
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
        room("EnergyModels", ["ContentHash", "TensorGraph", "Safetensors", "StrictJSON", "VectorMath"]),
        room("Composition", ["EnergyModels", "VectorMath"]),
        // Its tests look inside, in release builds too: at the search for step sizes.
        room(
            "Sampling", ["Composition", "EnergyModels", "RandomStreams", "VectorMath"],
            settings: [.unsafeFlags(["-enable-testing"])]),

        // Files.
        room("ContentHash", ["CSodium"]),
        room("StrictJSON"),
        room("Safetensors", ["RunFolder", "StrictJSON"]),
        room(
            "JobFile",
            ["StrictJSON", "ContentHash", "RunFolder", "Composition", "EnergyModels", "RandomStreams", "Sampling"]),
        // Its tests look inside, in release builds too: they write to a full disk and lower zip64's threshold.
        room("RunFolder", ["ContentHash", "StrictJSON"], settings: [.unsafeFlags(["-enable-testing"])]),

        // Networks. The tests of training look inside, in release builds too: at its batches and its arithmetic.
        room(
            "Training",
            [
                "EnergyModels", "TensorGraph", "RandomStreams", "RunFolder", "Safetensors", "ContentHash", "StrictJSON",
                "VectorMath", "MachineCapacity",
            ], settings: [.unsafeFlags(["-enable-testing"])]),
        room("ModelInspection", ["EnergyModels", "RunFolder", "Safetensors", "ContentHash", "StrictJSON"]),

        room("OpenFiles"),

        // The pool. The tests of models on their way look inside, in release builds too: at what is asked for, and of whom.
        room("Messaging", ["OpenFiles", "CZeroMQ", "CEpoll", "CWireMessages", "CProtobufC", "ContentHash"]),
        room(
            "ModelTransfer",
            ["Messaging", "JobFile", "RunFolder", "ContentHash", .product(name: "Logging", package: "swift-log")],
            settings: [.unsafeFlags(["-enable-testing"])]),
        // Its tests look inside, in release builds too: they fill the disk and read the schema.
        room(
            "Journal",
            [
                "ContentHash", "RunFolder", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            settings: [.unsafeFlags(["-enable-testing"])]),
        room("PoolCore"),
        room("StopSignals"),
        room("TerminalProgress"),
        room("MachineCapacity", settings: [.unsafeFlags(["-enable-testing"])]),
        // What every command begins and ends with.
        room(
            "CommandFrame",
            [
                "OpenFiles", "StrictJSON", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            settings: [.unsafeFlags(["-enable-testing"])]),
        room("Chaos", ["ContentHash", "StrictJSON"]),
        room(
            "Coordinator",
            [
                "PoolCore", "Journal", "Messaging", "ModelTransfer", "JobFile", "EnergyModels", "Sampling", "RunFolder",
                "ContentHash", "StrictJSON", "OpenFiles",
                "TerminalProgress",
                .product(name: "Logging", package: "swift-log"),
            ], settings: [.unsafeFlags(["-enable-testing"])]),
        room(
            "Worker",
            [
                "PoolCore", "Messaging", "ModelTransfer", "JobFile", "Sampling", "Composition", "EnergyModels",
                "RandomStreams", "Safetensors", "TensorGraph", "VectorMath", "ContentHash",
                .product(name: "Logging", package: "swift-log"),
            ], settings: [.unsafeFlags(["-enable-testing"])]),
        room(
            "PoolBenchmark",
            [
                "Coordinator", "PoolCore", "Messaging", "OpenFiles", "JobFile", "RunFolder", "ContentHash",
                "StrictJSON",
                .product(name: "Logging", package: "swift-log"),
            ]),
        command(
            "rrr-coordinator",
            [
                "Chaos", "Coordinator", "JobFile", "Journal", "ModelTransfer", "PoolBenchmark",
                "RunFolder", "StopSignals",
                "Messaging", "ContentHash", "StrictJSON", "TerminalProgress", "CommandFrame", "MachineCapacity",
                .product(name: "Logging", package: "swift-log"),
            ]),
        command(
            "rrr-model",
            [
                "Training", "ModelInspection", "StopSignals", "StrictJSON", "TerminalProgress",
                "CommandFrame", "MachineCapacity",
            ]),
        command(
            "rrr-worker",
            [
                "Worker", "Messaging", "StopSignals", "CommandFrame", "MachineCapacity",
                .product(name: "Logging", package: "swift-log"),
            ]),

        // The study of Examples/two-dimensional: `swift run -c release two-dimensional-study`. Its tests look inside, in
        // release builds too.
        .executableTarget(
            name: "two-dimensional-study",
            dependencies: [
                "JobFile", "RunFolder", "Sampling", "EnergyModels", "RandomStreams", "VectorMath", "StrictJSON",
                "StopSignals", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/two-dimensional/Study", swiftSettings: strict + [.unsafeFlags(["-enable-testing"])]),

        tests("VectorMathTests", ["VectorMath", "CVectorMath"]),
        tests("RandomStreamsTests", ["RandomStreams", "VectorMath"]),
        tests("TensorGraphTests", ["TensorGraph", "EnergyModels"]),
        tests("EnergyModelsTests", ["EnergyModels", "Safetensors", "StrictJSON", "VectorMath"], exclude: ["Fixtures"]),
        tests("CompositionTests", ["Composition", "EnergyModels", "VectorMath"]),
        tests("SamplingTests", ["Sampling", "Composition", "EnergyModels", "RandomStreams", "VectorMath"]),
        tests("ContentHashTests", ["ContentHash"]),
        tests("StrictJSONTests", ["StrictJSON"]),
        tests(
            "JobFileTests",
            [
                "JobFile", "StrictJSON", "Composition", "EnergyModels", "Sampling", "ContentHash", "RunFolder",
                "VectorMath",
            ],
            exclude: ["Malformed"]),
        tests(
            "ModelTransferTests",
            ["ModelTransfer", "Messaging", "JobFile", "ContentHash", .product(name: "Logging", package: "swift-log")]),
        tests(
            "CoordinatorTests",
            [
                "Coordinator", "ModelTransfer", "Messaging", "JobFile", "ContentHash", "PoolCore", "RunFolder",
                "Sampling", "StrictJSON",
                "Journal", "RawPeers",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests(
            "WorkerTests",
            [
                "Worker", "ModelTransfer", "Messaging", "JobFile", "ContentHash", "PoolCore",
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests("MachineCapacityTests", ["MachineCapacity"]),
        tests(
            "CommandFrameTests",
            [
                "CommandFrame", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests("SafetensorsTests", ["Safetensors"], exclude: ["Fixtures"]),
        tests(
            "TrainingTests",
            [
                "Training", "EnergyModels", "TensorGraph", "RandomStreams", "RunFolder", "ContentHash", "StrictJSON",
                "VectorMath",
            ],
            exclude: ["Malformed"]),
        tests("RunFolderTests", ["RunFolder", "ContentHash", "StrictJSON"]),
        tests("MessagingTests", ["Messaging", "OpenFiles", "ContentHash", "CZeroMQ", "RawPeers"]),
        // Connections that keep to no protocol.
        .target(name: "RawPeers", path: "Tests/RawPeers", swiftSettings: strict),
        tests("JournalTests", ["Journal", "ContentHash", .product(name: "GRDB", package: "GRDB.swift")]),
        // A pool in virtual time, for the tests and for `swift run -c release pool-histories`.
        .target(
            name: "PoolSimulator", dependencies: ["PoolCore"], path: "Tests/PoolSimulator", swiftSettings: strict),
        .executableTarget(
            name: "pool-histories",
            dependencies: ["PoolSimulator", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Tests/pool-histories", swiftSettings: strict),
        tests("PoolCoreTests", ["PoolCore", "PoolSimulator"]),
        tests("ChaosTests", ["Chaos"]),
        tests(
            "TwoDimensionalStudyTests",
            [
                "two-dimensional-study", "JobFile", "RunFolder", "Sampling", "Composition", "EnergyModels",
                "RandomStreams", "VectorMath",
            ]),
        tests(
            "WholeSystemTests",
            [
                "RunFolder", "ContentHash", "EnergyModels", "Messaging", "OpenFiles", "RawPeers",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
