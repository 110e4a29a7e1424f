import Foundation

/// How much of the machine this process may use.
package enum MachineCapacity {
    /// Processors that this process may keep busy, at least 1: those of its affinity mask, which cpusets and `taskset`
    /// narrow, and no more than the quotas of its control groups pay for, a part of a processor counting as one.
    package static var processors: Int {
        processors(allowed: allowed, quota: ProcessorQuota.processors(groups, read: text))
    }

    /// Bytes of memory that this process may still take before the system ends a process for want of it, as far as
    /// machine and control groups tell.
    package static var availableMemory: Int {
        MemoryLimit.available(memory: text("/proc/meminfo") ?? "", groups, read: text)
            ?? Int(clamping: ProcessInfo.processInfo.physicalMemory)
    }

    /// Bytes that this process takes for its work where nothing else is said: half of ``availableMemory``.
    package static var usualShare: Int { availableMemory / 2 }

    private static var groups: ControlGroups {
        ControlGroups(groups: text("/proc/self/cgroup") ?? "", mounts: text("/proc/self/mountinfo") ?? "")
    }

    /// What is left of `allowed` processors under a quota; nil for none.
    static func processors(allowed: Int, quota: Double?) -> Int {
        let paid = quota.map { $0 < Double(allowed) ? Int(max(0, $0).rounded(.up)) : allowed }
        return max(1, min(allowed, paid ?? allowed))
    }

    /// The number of processors of the affinity mask. Some of those that it names may not be there.
    private static var allowed: Int {
        guard let mask = ProcessorList.allowed(status: text("/proc/self/status") ?? "") else {
            return ProcessInfo.processInfo.activeProcessorCount
        }
        let online = ProcessorList.read(text("/sys/devices/system/cpu/online") ?? "") ?? mask
        return mask.intersection(online).count
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
