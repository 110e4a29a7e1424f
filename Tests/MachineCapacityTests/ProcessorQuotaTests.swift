import Testing

@testable import MachineCapacity

@Suite("What control groups let a process have")
struct ProcessorQuotaTests {
    private static let version2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
    private static let version1 = """
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
        33 31 0:35 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        """

    private func quota(_ groups: String, _ mounts: String, _ files: [String: String]) -> Double? {
        ProcessorQuota.processors(ControlGroups(groups: groups, mounts: mounts)) { files[$0] }
    }

    @Test("Version 2: the narrowest cpu.max on the way up to the root counts")
    func narrowest() {
        let files = [
            "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "/sys/fs/cgroup/a/cpu.max": "150000 100000\n",
            "/sys/fs/cgroup/cpu.max": "400000 100000\n", "/sys/fs/cgroup/other/cpu.max": "1000 100000\n",
        ]
        #expect(quota("0::/a/b\n", Self.version2, files) == 1.5)
    }

    @Test("Version 2: a group whose limits are all max has no quota")
    func unlimited() {
        #expect(quota("0::/a\n", Self.version2, ["/sys/fs/cgroup/a/cpu.max": "max 100000\n"]) == nil)
        #expect(quota("0::/\n", Self.version2, [:]) == nil)
    }

    @Test("Version 1: quota over period of the cpu controller, and -1 for none")
    func firstVersion() {
        let folder = "/sys/fs/cgroup/cpu,cpuacct"
        let files = [
            folder + "/jobs/7/cpu.cfs_quota_us": "50000\n", folder + "/jobs/7/cpu.cfs_period_us": "100000\n",
            folder + "/jobs/cpu.cfs_quota_us": "-1\n", folder + "/jobs/cpu.cfs_period_us": "100000\n",
        ]
        #expect(quota("5:memory:/x\n4:cpu,cpuacct:/jobs/7\n0::/\n", Self.version1, files) == 0.5)
        #expect(quota("4:cpu,cpuacct:/jobs\n", Self.version1, files) == nil)
    }

    @Test("In a container the mount shows a part of the tree, and the group is looked for from there")
    func container() {
        let mounts = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw"
        let files = ["/sys/fs/cgroup/cpu.max": "200000 100000", "/sys/fs/cgroup/x/cpu.max": "100000 100000"]
        #expect(quota("0::/docker/abc\n", mounts, files) == 2)
        #expect(quota("0::/docker/abc/x\n", mounts, files) == 1)
        #expect(quota("0::/elsewhere\n", mounts, files) == 2)
        #expect(quota("0::/../..\n", Self.version2, files) == 2)
    }

    @Test("What can't be understood limits nothing", arguments: ["", "no", "0 0", "-5 100000", "1e5", "nan 100000"])
    func nonsense(text: String) {
        #expect(quota("0::/\n", Self.version2, ["/sys/fs/cgroup/cpu.max": text]) == nil)
        #expect(quota(text, text, [:]) == nil)
    }

    @Test("A part of a processor counts as one; there is never less than one, and never more than the mask allows")
    func rounding() {
        #expect(MachineCapacity.processors(allowed: 8, quota: 1.5) == 2)
        #expect(MachineCapacity.processors(allowed: 8, quota: 0.1) == 1)
        #expect(MachineCapacity.processors(allowed: 8, quota: 3) == 3)
        #expect(MachineCapacity.processors(allowed: 2, quota: 1e300) == 2)
        #expect(MachineCapacity.processors(allowed: 0, quota: nil) == 1)
        #expect(MachineCapacity.processors(allowed: 4, quota: nil) == 4)
        #expect(MachineCapacity.processors >= 1)
    }
}
