import ArgumentParser
import Foundation
import RunFolder
import StopSignals

@main
struct StudyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "two-dimensional-study",
        abstract: "Every task in the plane, every sampler, exact densities and networks: tables and pictures.",
        discussion: """
            Runs the jobs one after the other in the real pool, by `rrr-coordinator submit`, and scores their samples. \
            Writes table.md, table.csv and a picture for each task and kind of model into the output folder, and prints \
            the tables. Runs that are finished there already are not run again. Exit status 2 if a run failed; the \
            tables say which and why.

            Names for --only: \(StudyJob.names.joined(separator: ", ")).
            """)

    @Option(help: "The folder for jobs, runs, tables and pictures.")
    var output = "runs/two-dimensional"

    @Option(help: "Chains of each run (default: 2000, with --quick 128).")
    var chains: Int?

    @Option(help: "Local worker processes (default: one per core).")
    var workers: Int?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Only these tasks, kinds of models and samplers.", valueName: "name"))
    var only: [String] = []

    @Flag(help: "Take fewer chains: it shows that everything works, the figures mean little.")
    var quick = false

    @Option(help: "The folder of the networks' model files.")
    var models = "Examples/models"

    @Option(help: "Put the tables and pictures into this README, in the places that it has for them.")
    var readme: String?

    func validate() throws {
        if let chains, !(1...1_000_000).contains(chains) {
            throw ValidationError("--chains must be from 1 to 1000000, is \(chains).")
        }
        if let workers, !(1...4096).contains(workers) {
            throw ValidationError("--workers must be from 1 to 4096, is \(workers).")
        }
        if let name = only.first(where: { !StudyJob.names.contains($0) }) {
            throw ValidationError("--only knows no \"\(name)\"; it knows \(StudyJob.names.joined(separator: ", ")).")
        }
    }

    func run() throws {
        do {
            let pool = try PoolRun(workers: workers)
            let signals = StopSignals { _ in pool.interrupt() }
            let study = Study(
                folder: output, chains: chains ?? (quick ? 128 : 2000), modelFolder: URL(fileURLWithPath: models).path,
                pool: pool, interruption: { signals.received })
            let experiments = try study.run(StudyJob.chosen(by: only))
            let pictures = try study.write(experiments)
            if let readme { try ReadmeResults.renew(readme, experiments, pictures: pictures) }
            print(ResultTables.markdown(experiments), terminator: "")
            let failed = experiments.flatMap(\.outcomes).filter(\.hasFailed)
            guard failed.isEmpty else {
                Study.tell("\(failed.count) of the runs failed: \(failed.map(\.job.name).joined(separator: ", "))")
                throw ExitCode(2)
            }
        } catch let exit as ExitCode {
            throw exit
        } catch {
            Study.tell("two-dimensional-study: \((error as? StudyError)?.description ?? error.localizedDescription)")
            throw ExitCode((error as? StudyError)?.exitStatus ?? 74)
        }
    }
}
