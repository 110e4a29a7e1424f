import ContentHash
import EnergyModels
import Testing

@testable import Worker

@Suite("The memory that networks may take")
struct NetworkMemoryTests {
    private static let network: Network = {
        let description = NetworkDescription(
            architecture: .init(dimension: 2, hidden: 64, widen: 2, blocks: 2, embedding: 8, levels: 4),
            energy: .init(kind: .denoising, scale: 0.5), schedule: .init(kind: .cosine, levels: 4))
        return Network(
            description: description,
            parameters: description.architecture.parameters.map { parameter in
                (0..<parameter.shape.reduce(1, *)).map { Float($0 % 9) - 4 }
            })
    }()
    private static let digest = SHA256.hash(of: [1])

    @Test(
        "what weights leave is shared by slots, networks and replicas; with a byte less than one point takes they are told"
    )
    func shares() throws {
        let networks = [Self.digest: Self.network]
        let weights = Self.network.weightBytes
        let least = weights + 6 * Self.network.leastWork
        func share(_ bytes: Int) throws(MemoryShortage) -> [Digest: Network] {
            try NetworkMemory(bytes: bytes, slots: 2)
                .share(among: networks, names: [Self.digest: "ring"], replicas: 3)
        }
        #expect(try share(least).count == 1)
        let shortage = MemoryShortage(network: "ring", needed: least, given: least - 1, slots: 2)
        #expect(throws: shortage) { try share(least - 1) }
        #expect("\(shortage)".contains("\"ring\"") && "\(shortage)".contains("raise --memory, or give fewer --slots"))
        #expect(throws: MemoryShortage.self) { try share(0) }
        #expect(try NetworkMemory(bytes: 0, slots: 2).share(among: [:], names: [:], replicas: 1).isEmpty)
    }
}
