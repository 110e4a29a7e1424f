/// What a model file says of its network: everything but the weights.
package struct NetworkDescription: Sendable, Equatable {
    /// How the network's output f becomes an energy E(x, t) whose gradient predicts the noise, so that
    /// log p_t = -E / sigma_t + constant.
    package struct Energy: Sendable, Equatable {
        /// The form, by its name in model files.
        package enum Kind: String, Sendable, CaseIterable {
            /// sum of (x - f)^2.
            case denoising
            /// 1/2 sum of f^2.
            case squaredNorm = "squared_norm"
            /// sum of x f.
            case innerProduct = "inner_product"
            /// None: f predicts the noise, or what the noise follows from.
            case noise
        }

        /// The form.
        package var kind: Kind
        /// What the form, or for ``Kind/noise`` the prediction, is multiplied by; above zero.
        package var scale: Double
        /// What f predicts, for ``Kind/noise``.
        package var prediction: Prediction

        /// What a network without an energy predicts of x = sqrt(abar) x0 + sigma eps, by its name in model files.
        package enum Prediction: String, Sendable, CaseIterable {
            /// The noise eps.
            case epsilon
            /// v = sqrt(abar) eps - sigma x0 (Salimans and Ho 2022), so that eps = sqrt(abar) v + sigma x.
            case v
            /// The data x0, so that eps = (x - sqrt(abar) x0) / sigma.
            case sample
        }

        /// An energy of a form.
        package init(kind: Kind, scale: Double = 1, prediction: Prediction = .epsilon) {
            self.kind = kind
            self.scale = scale
            self.prediction = prediction
        }
    }

    /// The network's shape.
    package var architecture: Architecture
    /// From output to energy; nil for a classifier, and for nothing else.
    package var energy: Energy?
    /// The noise levels that the network was trained on.
    package var schedule: ScheduleDescription

    /// A description; nothing is checked here.
    package init(architecture: Architecture, energy: Energy?, schedule: ScheduleDescription) {
        self.architecture = architecture
        self.energy = energy
        self.schedule = schedule
    }
}
