import CProtobufC
import CWireMessages
import ContentHash
import Glibc

/// A way through the fields of a message: either the value is written into C's struct, or the struct, which anybody may
/// have sent, is read into the value. So each message names its fields once, for both.
///
/// While it writes, numbers without a place on the wire become the nearest with one. While it reads, whatever a peer can
/// choose is looked at first; the first problem ends it, and what comes after is left as it is.
struct WirePass: ~Copyable {
    /// Nil while a value is written.
    private let limits: DecodingLimits?
    private var arena = EncodingArena()
    /// Why the struct can't be read.
    private(set) var problem: MessagingError?

    /// A way from a value to a struct, which points into this and lives no longer.
    static func writing() -> WirePass { WirePass(limits: nil) }

    /// A way from a struct to a value.
    static func reading(within limits: DecodingLimits) -> WirePass { WirePass(limits: limits) }

    private init(limits: DecodingLimits?) { self.limits = limits }

    var isReading: Bool { limits != nil }

    /// Ends a reading.
    mutating func refuse(_ problem: @autoclosure () -> String) { check(false, problem()) }

    /// Ends a reading unless something holds.
    mutating func check(_ holds: @autoclosure () -> Bool, _ problem: @autoclosure () -> String) {
        if isReading, self.problem == nil, !holds() { self.problem = .malformed(problem()) }
    }
}

/// Checks of what one's own limits say.
extension WirePass {
    /// The text of a job that is handed in.
    mutating func checkJob(_ text: ProtobufCBinaryData) {
        if let limits { check(text.len <= limits.jobTextBytes, "a job of \(text.len) bytes") }
    }

    /// Blocks that a worker says it holds.
    mutating func checkHeld(_ count: Int) {
        if let limits { check(count <= limits.heldBlocks, "\(count) blocks held") }
    }
}

/// Numbers, times and bytes.
extension WirePass {
    mutating func same<Value>(_ value: inout Value, _ field: inout Value) {
        if isReading { value = field } else { field = value }
    }

    mutating func flag(_ value: inout Bool, _ field: inout protobuf_c_boolean) {
        if isReading { value = field != 0 } else { field = value ? 1 : 0 }
    }

    mutating func number<Value: FixedWidthInteger, Field: FixedWidthInteger>(
        _ value: inout Value, _ field: inout Field
    ) {
        guard isReading else {
            field = Field(clamping: value)
            return
        }
        guard let number = Value(exactly: field) else { return refuse("the number \(field) is too large") }
        value = number
    }

    /// Whole milliseconds, at least one. - Parameter what: takes so long.
    mutating func milliseconds(_ value: inout Duration, _ field: inout UInt32, _ what: String) {
        guard isReading else {
            field = UInt32(min(max(1, value / .milliseconds(1)), Double(UInt32.max)))
            return
        }
        check(field > 0, "\(what) of no time")
        value = .milliseconds(Int(field))
    }

    /// Seconds; no time at all is nil.
    mutating func seconds(_ value: inout Duration?, _ field: inout Double) {
        guard isReading else {
            field = (value ?? .zero) / .seconds(1)
            return
        }
        guard field >= 0, field <= 1e9 else { return refuse("a time of \(field) s") }
        value = field == 0 ? nil : .seconds(field)
    }

    mutating func bytes(_ value: inout [UInt8], _ field: inout ProtobufCBinaryData) {
        guard isReading else {
            field = arena.bytes(value)
            return
        }
        guard problem == nil else { return }
        value = Array(UnsafeBufferPointer(start: field.data, count: field.data == nil ? 0 : field.len))
    }

    mutating func digest(_ value: inout Digest, _ field: inout ProtobufCBinaryData) {
        // The length first: the bytes may be many.
        check(
            field.len == Digest.byteCount,
            "a job or model named by \(field.len) bytes instead of \(Digest.byteCount)")
        var bytes = value.bytes
        self.bytes(&bytes, &field)
        value = Digest(bytes: bytes) ?? value
    }
}

/// Texts. Those that are read have nothing in them that a terminal obeys.
extension WirePass {
    /// What a coordinator says.
    mutating func text(_ value: inout String, _ field: inout UnsafeMutablePointer<CChar>?) {
        pass(&value, &field, atMost: limits?.textBytes ?? 0, keepsLines: true)
    }

    /// What is said to a coordinator, and what it passes on of that: a single line, cut to so many bytes.
    mutating func line(_ value: inout String, _ field: inout UnsafeMutablePointer<CChar>?, atMost bytes: Int) {
        pass(&value, &field, atMost: bytes, keepsLines: false)
    }

    private mutating func pass(
        _ value: inout String, _ field: inout UnsafeMutablePointer<CChar>?, atMost bytes: Int, keepsLines: Bool
    ) {
        guard let limits else {
            field = arena.text(value)
            return
        }
        guard problem == nil, let start = field else { return }
        guard strlen(start) <= limits.textBytes else { return refuse("a text longer than any should be") }
        guard let text = String(validatingCString: start) else { return refuse("a text that is not UTF-8") }
        value = PeerText.shown(text, atMost: bytes, keepsLines: keepsLines)
    }
}

/// What has fields of its own, and a struct for them.
protocol WirePart {
    associatedtype Fields
    /// A value before it is read.
    static var blank: Self { get }
    /// Gives the struct its defaults.
    static func prepare(_ fields: UnsafeMutablePointer<Fields>?)
    /// Goes through the fields.
    mutating func pass(_ m: inout Fields, _ wire: inout WirePass)
}

/// Parts and lists.
extension WirePass {
    /// The body of a message, or a part of one.
    mutating func body<Fields>(
        _ field: inout UnsafeMutablePointer<Fields>?, _ prepare: (UnsafeMutablePointer<Fields>?) -> Void,
        _ pass: (inout Fields, inout WirePass) -> Void
    ) {
        if !isReading { field = arena.fields(prepare) }
        guard problem == nil else { return }
        guard let fields = field else { return refuse("a message without the part it is about") }
        pass(&fields.pointee, &self)
    }

    mutating func part<Part: WirePart>(_ part: inout Part, _ field: inout UnsafeMutablePointer<Part.Fields>?) {
        body(&field, Part.prepare) { fields, wire in part.pass(&fields, &wire) }
    }

    mutating func parts<Part: WirePart>(
        _ parts: inout [Part], _ count: inout Int,
        _ field: inout UnsafeMutablePointer<UnsafeMutablePointer<Part.Fields>?>?
    ) {
        list(&parts, &count, &field, blank: .blank, empty: nil) { part, pointer, wire in wire.part(&part, &pointer) }
    }

    mutating func numbers(_ numbers: inout [Int], _ count: inout Int, _ field: inout UnsafeMutablePointer<UInt64>?) {
        list(&numbers, &count, &field, blank: 0, empty: 0) { number, field, wire in wire.number(&number, &field) }
    }

    /// An array of what costs more to make than it takes on the wire.
    private mutating func list<Value, Field>(
        _ values: inout [Value], _ count: inout Int, _ field: inout UnsafeMutablePointer<Field>?, blank: Value,
        empty: Field, _ pass: (inout Value, inout Field, inout WirePass) -> Void
    ) {
        if let limits {
            check(count <= limits.entries, "a list of \(count)")
            guard problem == nil else { return }
            values = Array(repeating: blank, count: field == nil ? 0 : count)
        } else {
            (count, field) = (values.count, arena.array(of: empty, count: values.count))
        }
        guard let field else { return }
        for index in values.indices {
            pass(&values[index], &field[index], &self)
            guard problem == nil else { return }
        }
    }
}
