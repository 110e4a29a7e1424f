import StrictJSON
import EnergyModels

/// Reads the leaves of a job.
enum ModelDecoder {
    static func models(_ field: JSONField) throws(JSONProblem) -> [String: ModelDescription] {
        let members = try field.members("an object of models by name")
        var models: [String: ModelDescription] = [:]
        var first: (name: String, dimension: Int)?
        for name in members.names {
            guard let field = members[name] else { continue }
            guard !name.isEmpty else { throw field.problem("a model's name must not be empty") }
            let model = try model(field)
            if let first, first.dimension != model.dimension {
                throw field.problem(
                    "has \(model.dimension) dimensions, but \"\(first.name)\" has \(first.dimension); all models share one shape"
                )
            }
            first = first ?? (name, model.dimension)
            models[name] = model
        }
        guard !models.isEmpty else { throw field.problem("must not be empty; give at least one model") }
        return models
    }

    private static func model(_ field: JSONField) throws(JSONProblem) -> ModelDescription {
        let kinds = ModelDescription.analyticKinds
        let members = try field.members("a model such as {\"kind\": \"gaussian\", …}")
        if let kind = members["kind"], kind.isString, try kind.string("a kind") == "network" {
            throw kind.problem("networks are not in this version; use one of \(kinds)")
        }
        return try ModelDescription.decode(field)
    }
}
