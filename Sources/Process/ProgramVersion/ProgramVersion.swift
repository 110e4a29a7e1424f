/// The version of all commands, which coordinator and workers also tell one another.
public let programVersion = "0.2.0"
