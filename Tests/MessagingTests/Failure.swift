import Messaging

/// The error that `body` ends with; nil when it does not.
func failure(of body: () throws(MessagingError) -> Void) -> MessagingError? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
