import Testing

@testable import Training

@Suite("Training progress")
struct TrainingProgressTests {
    @Test("The line tells iterations, part done, loss and speed; time left follows from this session's speed")
    func text() {
        let progress = TrainingProgress(
            steps: 640, iterations: 1000, loss: 0.25, secondsElapsed: 20, stepsElapsed: 40)
        #expect(progress.text == "640/1000 iterations, 64 %, loss 0.25000, 2.0 iterations/s")
        #expect(progress.secondsLeft == 180)
    }

    @Test("Before the first step there is neither loss nor speed to tell")
    func start() {
        let progress = TrainingProgress(steps: 0, iterations: 10, loss: .nan, secondsElapsed: 0, stepsElapsed: 0)
        #expect(progress.text == "0/10 iterations, 0 %")
        #expect(progress.secondsLeft == nil)
    }
}
