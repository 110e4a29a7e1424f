import Testing

@testable import MachineCapacity

@Suite("Processors as the kernel lists them")
struct ProcessorListTests {
    @Test(
        "Single numbers and ranges", arguments: [("0", [0]), ("0-3,8,10-11\n", [0, 1, 2, 3, 8, 10, 11]), ("\t1", [1])])
    func lists(text: String, processors: [Int]) {
        #expect(ProcessorList.read(text) == Set(processors))
    }

    @Test("What is no list is none", arguments: ["", "a", "3-1", "-1", "1-", "1-2-3", "0-99999999999", "1,,x"])
    func nonsense(text: String) {
        #expect(ProcessorList.read(text) == nil)
    }

    @Test("The mask stands in a process's status")
    func mask() {
        let status = "Name:\tx\nCpus_allowed:\t5\nCpus_allowed_list:\t0,2\nMems_allowed_list:\t0\n"
        #expect(ProcessorList.allowed(status: status) == [0, 2])
        #expect(ProcessorList.allowed(status: "Name:\tx\n") == nil)
    }
}
