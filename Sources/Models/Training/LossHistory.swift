import Foundation

/// The file of a training's losses, `step,loss,held_out_loss,seconds`, a line each time that they are told. Seconds are
/// those of training, without what lies between interruptions.
struct LossHistory {
    private static let header = "step,loss,held_out_loss,seconds"

    private let path: String
    private var lines = [header]
    /// Until the session began.
    private var secondsBefore = 0.0

    /// Takes up the file of a training that goes on, whose lines behind `step` are made anew.
    /// - Throws: ``TrainingError`` with exit status 73 for another file under the name.
    init(path: String, after step: Int) throws(TrainingError) {
        self.path = path
        guard step > 0, FileManager.default.fileExists(atPath: path) else { return }
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let found = text.split(separator: "\n").map(String.init)
        guard found.first == Self.header else {
            throw TrainingError(
                exitStatus: 73, "\(path): is not the history of a training; give another name for it")
        }
        for line in found.dropFirst() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count == 4, let itsStep = Int(fields[0]), let seconds = Double(fields[3]), itsStep <= step
            else { break }
            lines.append(line)
            secondsBefore = seconds
        }
    }

    /// Adds a line. - Throws: ``TrainingError`` with exit status 74 if it can't be written.
    mutating func append(_ progress: TrainingProgress) throws(TrainingError) {
        let heldOut = progress.heldOutLoss.map { "\($0)" } ?? ""
        let seconds = String(format: "%.3f", secondsBefore + progress.secondsElapsed)
        lines.append("\(progress.steps),\(progress.loss),\(heldOut),\(seconds)")
        do {
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(
                to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw TrainingError(exitStatus: 74, "\(path): can't be written: \(error.localizedDescription)")
        }
    }
}
