package import Messaging
import RunFolder

/// The sender's side of a model's way.
package enum ModelUpload {
    /// The answer to a request. - Parameter path: where the file is; nil if it is not known.
    package static func answer(_ request: ModelRequest, from path: String?) -> Message {
        guard let path else { return .modelUnavailable(request.model, reason: "no such model is known here") }
        do {
            let (data, total) = try FileSlice.read(path, offset: request.offset, length: request.length)
            return .modelChunk(ModelChunk(model: request.model, offset: request.offset, total: total, data: data))
        } catch {
            return .modelUnavailable(request.model, reason: "\(error)")
        }
    }
}
