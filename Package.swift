// swift-tools-version: 6.1

import PackageDescription

/// `Tests/Fuzzing/run` builds with this: what is compiled here then watches its memory, and tells libFuzzer which ways
/// through it an input takes.
let isFuzzing = Context.environment["RRR_FUZZING"] != nil
let watchedSwift = [
    "-sanitize=address", "-sanitize-coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table",
]
/// Swift stops by itself where C goes on with what it does not define.
let watchedC = ["-fsanitize=fuzzer-no-link,address,undefined", "-fno-sanitize-recover=undefined"]

let strict: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (isFuzzing ? [.unsafeFlags(watchedSwift)] : [])

/// A module: a target with, where it has tests, a folder of its name and `Tests` under Tests/.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + settings)
}

/// For a module whose tests look inside, in release builds too.
let opened: [SwiftSetting] = [.unsafeFlags(["-enable-testing"])]

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func command(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies + [arguments], swiftSettings: strict)
}

/// Modules that lie together under Sources/, in a folder of that name. No module imports one of a layer above its own.
func layer(_ name: String, _ modules: [Target]) -> [Target] {
    for module in modules { module.path = "Sources/\(name)/\(module.name)" }
    return modules
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let database = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

// What a process is given and may use.
let process = layer(
    "Process",
    [
        .systemLibrary(name: "CMalloc"),
        module("OpenFiles"), module("MachineCapacity", ["CMalloc"], settings: opened), module("StopSignals"),
        module("TerminalProgress"),
        module("ProgramVersion"),
    ])

let numerics = layer(
    "Numerics",
    [
        .systemLibrary(name: "COpenBLAS"),
        // Always optimised: the numerics of a debug build are the same bits, and its tests stay quick.
        .target(
            name: "CVectorMath", exclude: ["coefficients.py"],
            cSettings: [.unsafeFlags([isFuzzing ? "-O1" : "-O3"])],
            linkerSettings: [.linkedLibrary("m")]),
        module("VectorMath", ["CVectorMath"]),
        module("RandomStreams", ["VectorMath", "CVectorMath"]),
        module("TensorGraph", ["CVectorMath", "COpenBLAS"], settings: opened),
    ])

let files = layer(
    "Files",
    [
        .systemLibrary(name: "CSodium"),
        module("ContentHash", ["CSodium"]),
        module("StrictJSON"),
        .systemLibrary(name: "CPNG"),
        module("Pictures", ["CPNG"], settings: opened),
        module("RunFolder", ["ContentHash", "Pictures", "StrictJSON"], settings: opened),
        module("Safetensors", ["RunFolder", "StrictJSON"]),
        module(
            "Journal", ["ContentHash", "RunFolder", database, .product(name: "GRDBSQLite", package: "GRDB.swift")],
            settings: opened),
    ])

let models = layer(
    "Models",
    [
        module("EnergyModels", ["ContentHash", "TensorGraph", "Safetensors", "StrictJSON", "VectorMath"]),
        module(
            "Training",
            [
                "EnergyModels", "TensorGraph", "RandomStreams", "Pictures", "RunFolder", "Safetensors", "ContentHash",
                "StrictJSON", "VectorMath", "MachineCapacity",
            ], settings: opened),
        module("ModelInspection", ["EnergyModels", "RunFolder", "Safetensors", "ContentHash", "StrictJSON"]),
        module("ModelImport", ["EnergyModels", "RunFolder", "Safetensors", "StrictJSON"], settings: opened),
    ])

let sampling = layer(
    "Sampling",
    [
        module("Composition", ["EnergyModels", "VectorMath"]),
        module(
            "Sampling", ["Composition", "EnergyModels", "RandomStreams", "RunFolder", "VectorMath"], settings: opened),
        module(
            "JobFile",
            [
                "StrictJSON", "ContentHash", "Pictures", "RunFolder", "Composition", "EnergyModels", "RandomStreams",
                "Sampling",
            ]),
        // Whether samples can be trusted.
        module("Diagnostics", ["RunFolder", "StrictJSON", "RandomStreams", "VectorMath"], settings: opened),
        module(
            "Plots", ["ContentHash", "Diagnostics", "JobFile", "Sampling", "EnergyModels", "RunFolder", "VectorMath"],
            settings: opened
        ),
    ])

let wire = layer(
    "Wire",
    [
        .systemLibrary(name: "CZeroMQ"),
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(name: "CProtobufC"),
        // Made from proto/.
        .target(
            name: "CWireMessages", dependencies: ["CProtobufC"],
            cSettings: isFuzzing ? [.unsafeFlags(watchedC)] : []),
        module(
            "Messaging", ["OpenFiles", "CZeroMQ", "CEpoll", "CWireMessages", "CProtobufC", "ContentHash", "RunFolder"]),
        // Who belongs to a pool.
        module("PoolKeys", ["Messaging", "RunFolder", "StrictJSON"], settings: opened),
        module("ModelTransfer", ["Messaging", "JobFile", "RunFolder", "ContentHash", logging], settings: opened),
    ])

let pool = layer(
    "Pool",
    [
        module("PoolCore"),
        module("Chaos", ["ContentHash", "StrictJSON"]),
        module(
            "CoordinatorCore",
            [
                "PoolCore", "Journal", "Messaging", "ModelTransfer", "JobFile", "EnergyModels", "Sampling", "RunFolder",
                "ContentHash", "StrictJSON", "ProgramVersion", "TerminalProgress", logging,
            ], settings: opened),
        module(
            "Coordinator",
            [
                "CoordinatorCore", "PoolCore", "Journal", "Messaging", "ModelTransfer", "JobFile", "EnergyModels",
                "PoolKeys", "Sampling", "Diagnostics", "RunFolder",
                "ContentHash", "StrictJSON", "OpenFiles", "ProgramVersion", "TerminalProgress", logging,
            ], settings: opened),
        module(
            "Worker",
            [
                "PoolCore", "Messaging", "ModelTransfer", "JobFile", "Sampling", "Composition", "EnergyModels",
                "RandomStreams", "RunFolder", "Safetensors", "TensorGraph", "VectorMath", "ContentHash", logging,
            ], settings: opened),
        module(
            "PoolBenchmark",
            [
                "Coordinator", "CoordinatorCore", "PoolCore", "PoolKeys", "Messaging", "OpenFiles", "JobFile",
                "RunFolder", "ContentHash",
                "StrictJSON",
                logging,
            ]),
    ])

let commands = layer(
    "Commands",
    [
        // What every command begins and ends with.
        module("CommandFrame", ["MachineCapacity", "OpenFiles", "StrictJSON", arguments, logging], settings: opened),
        command(
            "rrr-coordinator",
            [
                "Chaos", "Coordinator", "CoordinatorCore", "Diagnostics", "JobFile", "Journal", "ModelTransfer",
                "Pictures",
                "Plots",
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
            [
                "Worker", "Messaging", "PoolKeys", "StopSignals", "CommandFrame", "MachineCapacity", "ProgramVersion",
                logging,
            ]),
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
    tests("PlotsTests", ["Plots", "JobFile", "RunFolder"]),
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
    tests(
        "MessagingTests",
        ["Messaging", "SampleMessages", "OpenFiles", "ContentHash", "RunFolder", "CZeroMQ", "RawPeers"]),
    // A message of every kind, and envelopes as somebody else might write them.
    .target(
        name: "SampleMessages", dependencies: ["Messaging", "ContentHash", "RunFolder"], path: "Tests/SampleMessages",
        swiftSettings: strict),
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

// The decoders as what anybody may have written reaches them: for the tests, and for `Tests/Fuzzing/run`.
let fuzzing: [Target] =
    [
        .target(
            name: "FuzzedDecoders",
            dependencies: [
                "StrictJSON", "ContentHash", "Pictures", "RunFolder", "Safetensors", "Journal", "EnergyModels",
                "Training",
                "ModelImport", "Sampling", "JobFile", "Messaging", "PoolKeys", "ForeignNetworks", "SampleMessages",
                database,
            ], path: "Tests/Fuzzing/Decoders", swiftSettings: strict),
        tests("FuzzedDecodersTests", ["FuzzedDecoders"]),
    ]
    // Only `Tests/Fuzzing/run` links libFuzzer.
    + (isFuzzing
        ? [
            .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzzing/CLibFuzzer"),
            .executableTarget(
                name: "fuzz-decoders", dependencies: ["FuzzedDecoders", "CLibFuzzer"], path: "Tests/Fuzzing/Driver",
                swiftSettings: strict, linkerSettings: [.unsafeFlags(["-sanitize=address"]), .linkedLibrary("stdc++")]),
        ] : [])

// Speeds: `swift run -c release network-benchmark`, and its like. docs/performance.md tells of them.
let performance: [Target] =
    [
        .target(name: "CAllocationCount", path: "Tests/Performance/CAllocationCount"),
        .target(name: "Measurement", path: "Tests/Performance/Measurement", swiftSettings: strict),
    ]
    + ["network-benchmark", "image-benchmark", "block-benchmark"].map { name in
        .executableTarget(
            name: name,
            dependencies: [
                "CAllocationCount", "Measurement", "EnergyModels", "TensorGraph", "Training", "VectorMath",
                "Composition", "Sampling", arguments,
            ],
            path: "Tests/Performance/\(name)", swiftSettings: strict)
    }

let package = Package(
    name: "rrr",
    products: [
        .executable(name: "rrr-coordinator", targets: ["rrr-coordinator"]),
        .executable(name: "rrr-worker", targets: ["rrr-worker"]),
        .executable(name: "rrr-model", targets: ["rrr-model"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: process + numerics + files + models + sampling + wire + pool + commands + besides + fuzzing + performance,
    swiftLanguageModes: [.v6]
)
