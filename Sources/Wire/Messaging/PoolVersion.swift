/// The version that coordinator and workers report.
public let poolVersion = "0.2.0"
