// swift-tools-version: 6.1

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// A room of the house: a target with, where it has tests, a folder of its name and `Tests` under Tests/.
func room(_ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + settings)
}

/// For a room whose tests look inside, in release builds too.
let opened: [SwiftSetting] = [.unsafeFlags(["-enable-testing"])]

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func command(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies + [arguments], swiftSettings: strict)
}

/// Rooms that lie together under Sources/, in a folder of that name. No room imports one of a floor above its own.
func floor(_ name: String, _ rooms: [Target]) -> [Target] {
    for room in rooms { room.path = "Sources/\(name)/\(room.name)" }
    return rooms
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let database = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

// What a process is given and may use.
let process = floor(
    "Process",
    [
        room("OpenFiles"), room("MachineCapacity", settings: opened), room("StopSignals"), room("TerminalProgress"),
        room("ProgramVersion"),
    ])

let numerics = floor(
    "Numerics",
    [
        .systemLibrary(name: "COpenBLAS"),
        // Always optimised: the numerics of a debug build are the same bits, and its tests stay quick.
        .target(
            name: "CVectorMath", exclude: ["coefficients.py"], cSettings: [.unsafeFlags(["-O3"])],
            linkerSettings: [.linkedLibrary("m")]),
        room("VectorMath", ["CVectorMath"]),
        room("RandomStreams", ["VectorMath", "CVectorMath"]),
        room("TensorGraph", ["CVectorMath", "COpenBLAS"], settings: opened),
    ])

let files = floor(
    "Files",
    [
        .systemLibrary(name: "CSodium"),
        room("ContentHash", ["CSodium"]),
        room("StrictJSON"),
        .systemLibrary(name: "CPNG"),
        room("Pictures", ["CPNG"], settings: opened),
        room("RunFolder", ["ContentHash", "Pictures", "StrictJSON"], settings: opened),
        room("Safetensors", ["RunFolder", "StrictJSON"]),
        room(
            "Journal", ["ContentHash", "RunFolder", database, .product(name: "GRDBSQLite", package: "GRDB.swift")],
            settings: opened),
    ])

let models = floor(
    "Models",
    [
        room("EnergyModels", ["ContentHash", "TensorGraph", "Safetensors", "StrictJSON", "VectorMath"]),
        room(
            "Training",
            [
                "EnergyModels", "TensorGraph", "RandomStreams", "Pictures", "RunFolder", "Safetensors", "ContentHash",
                "StrictJSON", "VectorMath", "MachineCapacity",
            ], settings: opened),
        room("ModelInspection", ["EnergyModels", "RunFolder", "Safetensors", "ContentHash", "StrictJSON"]),
        room("ModelImport", ["EnergyModels", "RunFolder", "Safetensors", "StrictJSON"], settings: opened),
    ])

let sampling = floor(
    "Sampling",
    [
        room("Composition", ["EnergyModels", "VectorMath"]),
        room(
            "Sampling", ["Composition", "EnergyModels", "RandomStreams", "RunFolder", "VectorMath"], settings: opened),
        room(
            "JobFile",
            [
                "StrictJSON", "ContentHash", "Pictures", "RunFolder", "Composition", "EnergyModels", "RandomStreams",
                "Sampling",
            ]),
        // Whether samples can be trusted.
        room("Diagnostics", ["RunFolder", "StrictJSON", "RandomStreams", "VectorMath"], settings: opened),
    ])

let wire = floor(
    "Wire",
    [
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(name: "CProtobufC"),
        // Made from proto/.
        .target(name: "CWireMessages", dependencies: ["CProtobufC"]),
        room(
            "Messaging", ["OpenFiles", "CZeroMQ", "CEpoll", "CWireMessages", "CProtobufC", "ContentHash", "RunFolder"]),
        // Who belongs to a pool.
        room("PoolKeys", ["Messaging", "RunFolder", "StrictJSON"]),
        room("ModelTransfer", ["Messaging", "JobFile", "RunFolder", "ContentHash", logging], settings: opened),
    ])

let pool = floor(
    "Pool",
    [
        room("PoolCore"),
        room("Chaos", ["ContentHash", "StrictJSON"]),
        room(
            "CoordinatorCore",
            [
                "PoolCore", "Journal", "Messaging", "ModelTransfer", "JobFile", "EnergyModels", "Sampling", "RunFolder",
                "ContentHash", "StrictJSON", "ProgramVersion", "TerminalProgress", logging,
            ], settings: opened),
        room(
            "Coordinator",
            [
                "CoordinatorCore", "PoolCore", "Journal", "Messaging", "ModelTransfer", "JobFile", "EnergyModels",
                "PoolKeys", "Sampling", "Diagnostics", "RunFolder",
                "ContentHash", "StrictJSON", "OpenFiles", "ProgramVersion", "TerminalProgress", logging,
            ], settings: opened),
        room(
            "Worker",
            [
                "PoolCore", "Messaging", "ModelTransfer", "JobFile", "Sampling", "Composition", "EnergyModels",
                "RandomStreams", "RunFolder", "Safetensors", "TensorGraph", "VectorMath", "ContentHash", logging,
            ], settings: opened),
        room(
            "PoolBenchmark",
            [
                "Coordinator", "CoordinatorCore", "PoolCore", "PoolKeys", "Messaging", "OpenFiles", "JobFile",
                "RunFolder", "ContentHash",
                "StrictJSON",
                logging,
            ]),
    ])

let commands = floor(
    "Commands",
    [
        // What every command begins and ends with.
        room("CommandFrame", ["MachineCapacity", "OpenFiles", "StrictJSON", arguments, logging], settings: opened),
        command(
            "rrr-coordinator",
            [
                "Chaos", "Coordinator", "CoordinatorCore", "Diagnostics", "JobFile", "Journal", "ModelTransfer", "Pictures",
                "PoolBenchmark",
                "RunFolder", "StopSignals",
                "Messaging", "PoolKeys", "ContentHash", "StrictJSON", "TerminalProgress", "CommandFrame",
                "MachineCapacity",
                "ProgramVersion", logging,
            ]),
        command(
            "rrr-model",
            [
                "Training", "ModelInspection", "ModelImport", "EnergyModels", "StopSignals", "StrictJSON",
                "TerminalProgress", "CommandFrame",
                "MachineCapacity", "ProgramVersion",
            ]),
        command(
            "rrr-worker",
            ["Worker", "Messaging", "PoolKeys", "StopSignals", "CommandFrame", "MachineCapacity", "ProgramVersion", logging]),
    ])

// The study, the simulator, and tests.
let besides: [Target] = [
    // The study of Examples/two-dimensional: `swift run -c release two-dimensional-study`. Its tests look inside, in
    // release builds too.
    .executableTarget(
        name: "two-dimensional-study",
        dependencies: [
            "JobFile", "RunFolder", "Sampling", "EnergyModels", "RandomStreams", "VectorMath", "StrictJSON",
            "StopSignals", arguments,
        ],
        path: "Examples/two-dimensional/Study", swiftSettings: strict + opened),

    tests("VectorMathTests", ["VectorMath", "CVectorMath"]),
    tests("RandomStreamsTests", ["RandomStreams", "VectorMath"]),
    tests("TensorGraphTests", ["TensorGraph", "EnergyModels"]),
    tests("EnergyModelsTests", ["EnergyModels", "Safetensors", "StrictJSON", "VectorMath"], exclude: ["Fixtures"]),
    tests("CompositionTests", ["Composition", "EnergyModels", "VectorMath"]),
    tests("SamplingTests", ["Sampling", "Composition", "EnergyModels", "RandomStreams", "RunFolder", "VectorMath"]),
    tests("DiagnosticsTests", ["Diagnostics", "RunFolder", "VectorMath"], exclude: ["Fixtures", "reference.py"]),
    tests("ContentHashTests", ["ContentHash"]),
    tests("StrictJSONTests", ["StrictJSON"]),
    tests(
        "JobFileTests",
        [
            "JobFile", "StrictJSON", "Composition", "EnergyModels", "Sampling", "ContentHash", "Pictures", "RunFolder",
            "VectorMath",
        ],
        exclude: ["Malformed"]),
    tests(
        "ModelTransferTests",
        ["ModelTransfer", "Messaging", "JobFile", "ContentHash", logging]),
    tests(
        "CoordinatorTests",
        [
            "Coordinator", "CoordinatorCore", "ModelTransfer", "Messaging", "JobFile", "ContentHash", "PoolCore",
            "RunFolder",
            "Sampling", "StrictJSON",
            "Journal", "RawPeers",
            database,
            logging,
        ]),
    tests(
        "CoordinatorCoreTests",
        [
            "CoordinatorCore", "PoolCore", "Messaging", "JobFile", "Journal", "RunFolder", "Sampling", "EnergyModels",
            "ContentHash", logging,
        ]),
    tests(
        "WorkerTests",
        [
            "Worker", "ModelTransfer", "Messaging", "JobFile", "ContentHash", "PoolCore", "Sampling", "EnergyModels",
            "TensorGraph", "RunFolder", "VectorMath",
            logging,
        ]),
    tests("MachineCapacityTests", ["MachineCapacity"]),
    tests(
        "CommandFrameTests",
        [
            "CommandFrame", arguments,
            logging,
        ]),
    tests("SafetensorsTests", ["Safetensors"], exclude: ["Fixtures"]),
    // Networks of other programs, and what these programs give for them.
    .target(
        name: "ForeignNetworks", dependencies: ["Safetensors"], path: "Tests/ForeignNetworks", exclude: ["Fixtures"],
        swiftSettings: strict),
    tests(
        "ModelImportTests",
        ["ModelImport", "ForeignNetworks", "EnergyModels", "Safetensors"]),
    tests(
        "TrainingTests",
        [
            "Training", "EnergyModels", "TensorGraph", "RandomStreams", "Pictures", "RunFolder", "ContentHash",
            "StrictJSON", "VectorMath",
        ],
        exclude: ["Malformed", "Fixtures"]),
    tests("PicturesTests", ["Pictures"]),
    tests("RunFolderTests", ["RunFolder", "Pictures", "ContentHash", "StrictJSON"]),
    tests("MessagingTests", ["Messaging", "OpenFiles", "ContentHash", "RunFolder", "CZeroMQ", "RawPeers"]),
    // Connections that keep to no protocol.
    .target(name: "RawPeers", path: "Tests/RawPeers", swiftSettings: strict),
    tests("PoolKeysTests", ["PoolKeys", "Messaging"]),
    tests("JournalTests", ["Journal", "ContentHash", database]),
    // A pool in virtual time, for the tests and for `swift run -c release pool-histories`.
    .target(
        name: "PoolSimulator",
        dependencies: [
            "PoolCore", "CoordinatorCore", "Messaging", "JobFile", "Journal", "RunFolder", "ContentHash",
            "EnergyModels",
        ], path: "Tests/PoolSimulator", swiftSettings: strict),
    .executableTarget(
        name: "pool-histories",
        dependencies: ["PoolSimulator", arguments],
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
            "RunFolder", "Pictures", "ContentHash", "EnergyModels", "ForeignNetworks", "Messaging", "OpenFiles",
            "PoolKeys", "RawPeers", database,
        ]),
]

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
    targets: process + numerics + files + models + sampling + wire + pool + commands + besides,
    swiftLanguageModes: [.v6]
)
