import Foundation
import FoundationXML
import Testing

@testable import two_dimensional_study

@Suite struct ScatterPictureTests {
    /// Counts elements of each name.
    private final class Counter: NSObject, XMLParserDelegate {
        var elements: [String: Int] = [:]
        var texts: [String] = []

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) { elements[name, default: 0] += 1 }

        func parser(_ parser: XMLParser, foundCharacters text: String) { texts.append(text) }
    }

    /// Points all over the panel, whose coordinates take the most digits.
    private static func spread(_ count: Int) -> [Point] {
        (0..<count).map { index in
            let angle = Double(index) * 2.399963
            let radius = 1.19 * (Double(index) / Double(count)).squareRoot()
            return Point(x: radius * cos(angle), y: radius * sin(angle))
        }
    }

    @Test(arguments: CompositionTask.allCases)
    func `A full picture is well-formed, has its panels and stays small`(task: CompositionTask) throws {
        let panels = (0..<11).map { ScatterPicture.Panel(title: "A & B <\($0)>", samples: Self.spread(2000)) }
        let svg = ScatterPicture(title: task.title, task: task, panels: panels).svg
        #expect(svg.utf8.count < 150_000)
        let counter = Counter()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = counter
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(counter.elements["svg"] == 12)
        #expect(counter.elements["path"] == 11)
        #expect(counter.texts.joined().contains("A & B <3>"))
    }

    @Test func `Points beyond the panel are not drawn, and many are thinned out`() {
        func dots(_ samples: [Point]) -> Int {
            ScatterPicture(title: "", task: .mixture, panels: [.init(title: "", samples: samples)]).svg
                .components(separatedBy: "h0").count - 1
        }
        #expect(dots([Point(x: 0, y: 0), Point(x: 2, y: 0), Point(x: .nan, y: 0)]) == 1)
        #expect(dots([]) == 0)
        #expect(dots(Self.spread(999)) == 999)
        #expect(dots(Self.spread(5000)) == ScatterPicture.mostPoints)
    }
}
