import Composition
import ContentHash
import EnergyModels
import Foundation
import JobFile
import Sampling
import StrictJSON
import Testing

@Suite("Canonical job")
struct CanonicalJobTests {
    @Test("the canonical text says the same job and is its own canonical text", arguments: ExampleJobs.valid)
    func fixedPoint(text: String) throws {
        let job = try ExampleJobs.decode(text)
        let again = try ExampleJobs.decode(job.canonicalText)
        #expect(again == job)
        #expect(again.canonicalText == job.canonicalText)
        #expect(again.identity == job.identity)
    }

    @Test("the canonical text of the smallest job, letter by letter")
    func smallest() throws {
        let job = try ExampleJobs.decode(ExampleJobs.smallest)
        #expect(
            job.canonicalText == #"{"block":64,"chains":100,"draws":1,"models":{"bar":{"high":[0.2,1],"#
                + #""kind":"uniform_box","low":[-0.2,-1]}},"name":"bar","output":{"formats":["npy"]},"rrr":1,"#
                + #""sampler":{"acceptance":"energy","kind":"ula","levels":[0,99],"reverse_steps":false,"#
                + #""step_size":0.01,"transitions":10},"schedule":{"kind":"cosine","levels":100},"seed":0,"#
                + #""target":"bar","thin":1}"#)
        #expect(job.identity == SHA256.hash(of: Array(job.canonicalText.utf8)))
    }

    @Test(
        "the way of writing does not touch the identity",
        arguments: [
            ("\"chains\": 100", "\"block\": 64, \"seed\": \"0\", \"chains\": 100"),
            ("-1.0]", "-1e0]"), ("0.01", "1.0e-2"), ("  ", "\n\t"),
            ("\"name\": \"bar\"", "\"name\": \"b\\u0061r\""),
        ])
    func sameIdentity(original: String, replacement: String) throws {
        let changed = ExampleJobs.smallest.replacing(original, with: replacement)
        #expect(changed != ExampleJobs.smallest)
        #expect(try ExampleJobs.decode(changed).identity == ExampleJobs.decode(ExampleJobs.smallest).identity)
    }

    @Test(
        "every change of meaning changes the identity",
        arguments: [
            ("\"name\": \"bar\"", "\"name\": \"baz\""), ("\"chains\": 100", "\"chains\": 101"),
            ("\"chains\": 100", "\"chains\": 100, \"seed\": 1"), ("\"chains\": 100", "\"chains\": 100, \"block\": 65"),
            ("0.01", "0.010000000000000002"), ("\"ula\"", "\"mala\""),
        ])
    func otherIdentity(original: String, replacement: String) throws {
        let changed = ExampleJobs.smallest.replacing(original, with: replacement)
        #expect(try ExampleJobs.decode(changed).identity != ExampleJobs.decode(ExampleJobs.smallest).identity)
    }
    @Test(
        "an acceptance rule is written out, the default as it always was",
        arguments: [
            ("", #""energy""#), (#", "acceptance": "energy""#, #""energy""#),
            (#", "acceptance": "line""#, #"{"line":{"points":5}}"#),
            (#", "acceptance": {"line": {}}"#, #"{"line":{"points":5}}"#),
            (#", "acceptance": {"line": {"points": 2}}"#, #"{"line":{"points":2}}"#),
            (#", "acceptance": "path""#, #""path""#),
        ])
    func acceptance(key: String, canonical: String) throws {
        let job = try ExampleJobs.decode(
            ExampleJobs.smallest.replacing("\"ula\", \"step_size\": 0.01", with: "\"hmc\", \"step_size\": 0.01" + key))
        #expect(job.canonicalText.contains("\"sampler\":{\"acceptance\":\(canonical),\"damping\""))
    }

    @Test("denoising is a part of the job where it is on, and leaves no trace where it is off")
    func denoise() throws {
        for kind in [#""ula", "step_size": 0.01"#, #""reverse""#] {
            func job(_ key: String) throws -> Job {
                try ExampleJobs.decode(
                    ExampleJobs.smallest.replacing(#""ula", "step_size": 0.01"#, with: kind + key))
            }
            let (plain, off, on) = (
                try job(""), try job(#", "denoise": false"#), try job(#", "denoise": true"#)
            )
            #expect(off.canonicalText == plain.canonicalText)
            #expect(!plain.sampler.denoise && on.sampler.denoise)
            #expect(on.canonicalText.contains(#""denoise":true,"kind":"#))
            #expect(try ExampleJobs.decode(on.canonicalText) == on)
        }
    }

    @Test(
        "step sizes that are left out are tuned, or go with the noise where no acceptance can be tuned for",
        arguments: [
            ("mala", #"{"pilots":16,"target_acceptance":0.57}"#), ("hmc", #"{"pilots":16,"target_acceptance":0.8}"#),
            ("ula", #"{"noise_power":[0.1,2]}"#), ("uhmc", #"{"noise_power":[0.3,1]}"#),
        ])
    func usualSteps(kind: String, canonical: String) throws {
        let job = try ExampleJobs.decode(
            ExampleJobs.smallest.replacing(#""ula", "step_size": 0.01"#, with: "\"\(kind)\""))
        #expect(job.canonicalText.contains(#""step_size":\#(canonical),"transitions""#))
        let written = ExampleJobs.smallest.replacing(
            #""ula", "step_size": 0.01"#, with: "\"\(kind)\", \"step_size\": \(canonical)")
        #expect(try ExampleJobs.decode(written).identity == job.identity)
    }

    @Test("a power of the noise is the power of its standard deviation")
    func noisePower() throws {
        let job = try ExampleJobs.decode(
            ExampleJobs.smallest.replacing("0.01", with: #"{"noise_power": [0.25, 2]}"#))
        let levels = NoiseSchedule(job.schedule).levels
        for (step, level) in zip(job.stepSizes, levels) {
            #expect((step / (0.25 * level.noiseVariance) - 1).magnitude < 1e-12)
        }
    }

    @Test("a start and bridges are written out, and leave no trace where they are the default")
    func startAndBridges() throws {
        func job(_ keys: String) throws -> Job {
            try ExampleJobs.decode(
                ExampleJobs.smallest.replacing(#""ula", "step_size": 0.01"#, with: #""mala", "step_size": 0.01"# + keys)
            )
        }
        let plain = try job(#", "population": {}"#)
        #expect(try job(#", "population": {"bridges": 0}, "start": "normal""#).canonicalText == plain.canonicalText)
        let full = try job(#", "population": {"bridges": 8}, "start": "target""#)
        #expect(full.canonicalText.contains(#""population":{"bridges":8,"threshold":0.5}"#))
        #expect(full.canonicalText.contains(#""start":"target""#))
        #expect(try ExampleJobs.decode(full.canonicalText) == full)
        let tripled = try ExampleJobs.decode(
            full.canonicalText.replacing(#""target":"bar""#, with: #""target":{"product":["bar"],"weights":[4]}"#))
        let plan = try tripled.plan { _ in throw CocoaError(.fileNoSuchFile) }
        #expect(plan.startDeviation == 0.5)
    }

    @Test(
        "an exchange is written out by its levels, and leaves no trace where there is none",
        arguments: [
            (#"{"replicas": 2}"#, #"{"every":1,"levels":[0,99]}"#),
            (#"{"replicas": 6, "every": 3}"#, #"{"every":3,"levels":[0,2,6,14,31,99]}"#),
            (#"{"every": 1, "levels": [0, 5, 98]}"#, #"{"every":1,"levels":[0,5,98]}"#),
        ])
    func exchange(text: String, canonical: String) throws {
        let plain = ExampleJobs.smallest.replacing("\"ula\"", with: "\"mala\"")
            .replacing("\"chains\": 100", with: "\"chains\": 100, \"draws\": 4")
        #expect(!(try ExampleJobs.decode(plain).canonicalText.contains("exchange")))
        let job = try ExampleJobs.decode(plain.replacing("0.01", with: "0.01, \"exchange\": \(text)"))
        #expect(job.canonicalText.contains(#""acceptance":"energy","exchange":\#(canonical),"kind":"mala""#))
        #expect(try ExampleJobs.decode(job.canonicalText) == job)
    }

    @Test(
        "a refinement is written out, step sizes where they are given, and leaves no trace where there is none",
        arguments: [
            (#"{"levels": 2}"#, #"{"levels":2,"transitions":10}"#),
            (
                #"{"levels": 2, "transitions": 3, "step_size": 0.5}"#,
                #"{"levels":2,"step_size":[0.5,0.5],"transitions":3}"#
            ),
            (#"{"levels": 2, "step_size": [0.5, 1]}"#, #"{"levels":2,"step_size":[0.5,1],"transitions":10}"#),
        ])
    func refinement(text: String, canonical: String) throws {
        #expect(!(try ExampleJobs.decode(ExampleJobs.smallest).canonicalText.contains("refine")))
        let job = try ExampleJobs.decode(ExampleJobs.smallest.replacing("0.01", with: "0.01, \"refine\": \(text)"))
        #expect(job.canonicalText.contains(#","refine":\#(canonical),"reverse_steps":"#))
        #expect(try ExampleJobs.decode(job.canonicalText) == job)
        let plan = try job.plan { _ in throw CocoaError(.fileNoSuchFile) }
        #expect(plan.walls?.low == [-0.2, -1] && plan.bounds == nil)
        #expect(plan.refinement.map(\.index) == [-1, -2] && plan.refinementStepSizes.count == 2)
    }

    @Test(
        "the identities of the examples stay",
        arguments: [
            ("classifier-guidance", "ecadebdf"), ("mixture-hmc", "ac8ac344"), ("negation-floor-hmc", "0cf2952c"),
            ("negation-hmc", "becf2204"), ("nested", "7ce2f8ad"), ("network-guidance", "2d984447"),
            ("network-mixture-estimated", "12bd7c24"), ("network-mixture", "514fe1f5"),
            ("network-negation", "b1678ef5"), ("network-population", "a7788ab2"), ("network-product", "7b71677f"),
            ("product-exchange", "65c8c1c4"), ("product-hmc", "20e793e2"), ("product-mala", "7730dbfd"),
            ("product-population", "58d40d10"), ("product-refined", "ef83cbb0"), ("product-reverse", "0ff562f7"),
            ("product-tuned-hmc", "bf7fcf30"), ("product-tuned-mala", "3cbf2696"), ("product-uhmc", "90cd816c"),
            ("product-ula", "f25321da"),
        ])
    func examples(name: String, beginning: String) throws {
        let path = ExampleJobs.malformedFolder.appendingPathComponent("../../../Examples/\(name).json").path
        #expect(try Job.load(path: path).identity.hex.hasPrefix(beginning))
    }

    @Test("whole numbers written as R and NumPy write them make the same job")
    func wholeNumbers() throws {
        let plain = try ExampleJobs.decode(
            ExampleJobs.smallest.replacing("\"chains\": 100", with: "\"chains\": 100000"))
        for notation in ["1e+05", "100000.0", "1E5", "10.0e4", "10000000e-2"] {
            let text = ExampleJobs.smallest.replacing("\"chains\": 100", with: "\"chains\": \(notation)")
            let job = try ExampleJobs.decode(text.replacing("\"rrr\": 1", with: "\"rrr\": 1.0, \"seed\": 0e0"))
            #expect(job.canonicalText == plain.canonicalText)
            #expect(job.identity == plain.identity)
        }
        let error = #expect(throws: JobError.self) {
            try ExampleJobs.decode(ExampleJobs.smallest.replacing("\"chains\": 100", with: "\"chains\": 1.5"))
        }
        #expect(error?.problems.map(\.pointer) == ["/chains"])
    }
}
