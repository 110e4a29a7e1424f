import ArgumentParser
import Foundation
import Testing

@testable import CommandFrame

@Suite("Arguments as the system hands them over")
struct RawArgumentsTests {
    private func check(_ line: [UInt8]?, _ environment: [UInt8] = []) throws -> [String] {
        try RawArguments.check(commandLine: line.map { Data($0) }, environment: Data(environment))
    }

    @Test("What follows the command's name are the arguments, empty ones too")
    func arguments() throws {
        #expect(try check(Array("rrr\0--output\0\0file:x\0".utf8)) == ["--output", "", "file:x"])
        #expect(try check(Array("rrr\0".utf8)) == [])
        #expect(try check(Array("rrr\0\u{FFFD}ü\0".utf8)) == ["\u{FFFD}ü"])
    }

    @Test("Bytes that are not UTF-8 are a matter of usage, and so they are in variables that name folders")
    func notText() {
        let argument = Array("rrr\0--output\0bad".utf8) + [0xFF, 0]
        #expect { try check(argument) } throws: { ($0 as? RawArguments.Problem)?.exitStatus == 64 }
        let line = Array("rrr\0".utf8)
        #expect { try check(line, Array("RRR_STATE=/x".utf8) + [0xC0, 0]) } throws: {
            ($0 as? RawArguments.Problem)?.text.contains("RRR_STATE") == true
        }
        #expect(throws: Never.self) { try check(line, Array("LESS=/x".utf8) + [0xC0, 0]) }
    }

    @Test("Without /proc a command says so instead of taking itself for one without arguments")
    func withoutProc() {
        for line in [nil, []] as [[UInt8]?] {
            #expect { try check(line) } throws: {
                let problem = $0 as? RawArguments.Problem
                return problem?.exitStatus == 70 && problem?.text.contains("/proc") == true
            }
        }
    }

    @Test("A misspelt command is answered with the one that was meant")
    func misspelt() throws {
        struct Submit: ParsableCommand {}
        struct Root: ParsableCommand {
            static let configuration = CommandConfiguration(subcommands: [Submit.self])
        }
        #expect { try Root.expectCommand(in: ["sumbit", "--help"]) } throws: {
            let problem = $0 as? RawArguments.Problem
            return problem?.exitStatus == 64 && problem?.text.contains("did you mean \"submit\"?") == true
        }
        for known in [["submit", "x"], ["help"], ["--help"], []] {
            #expect(throws: Never.self) { try Root.expectCommand(in: known) }
        }
    }
}
