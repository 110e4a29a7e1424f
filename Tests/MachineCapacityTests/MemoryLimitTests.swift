import Testing

@testable import MachineCapacity

@Suite("What machine and control groups leave of memory")
struct MemoryLimitTests {
    private static let version2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw"
    private static let version1 = "33 31 0:35 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory"
    private static let machine = "MemTotal:  8000 kB\nMemFree:  100 kB\nMemAvailable:  4000 kB\n"

    private func available(_ memory: String, _ groups: String, _ mounts: String, _ files: [String: String]) -> Int? {
        MemoryLimit.available(memory: memory, ControlGroups(groups: groups, mounts: mounts)) { files[$0] }
    }

    @Test("Without groups it is what the machine has available, and nothing if nobody tells")
    func machine() {
        #expect(available(Self.machine, "", "", [:]) == 4_096_000)
        #expect(available("", "", "", [:]) == nil)
        #expect(MachineCapacity.availableMemory > 0)
    }

    @Test("Version 2: the group that has least left counts; pages of files are no loss")
    func secondVersion() {
        let files = [
            "/sys/fs/cgroup/a/b/memory.max": "max\n", "/sys/fs/cgroup/a/b/memory.current": "5000\n",
            "/sys/fs/cgroup/a/memory.max": "1000000\n", "/sys/fs/cgroup/a/memory.current": "700000\n",
            "/sys/fs/cgroup/a/memory.stat": "anon 300000\nfile 400000\ninactive_file 350000\n",
        ]
        #expect(available(Self.machine, "0::/a/b\n", Self.version2, files) == 650_000)
        #expect(available(Self.machine, "0::/b\n", Self.version2, files) == 4_096_000)
    }

    @Test("Version 1: its own names, and a limit beyond the machine is none")
    func firstVersion() {
        var files = [
            "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "2000000\n",
            "/sys/fs/cgroup/memory/x/memory.usage_in_bytes": "2500000\n",
        ]
        #expect(available(Self.machine, "4:cpu:/y\n5:memory:/x\n", Self.version1, files) == 0)
        files["/sys/fs/cgroup/memory/x/memory.limit_in_bytes"] = "9223372036854771712\n"
        #expect(available(Self.machine, "5:memory:/x\n", Self.version1, files) == 4_096_000)
    }
}
