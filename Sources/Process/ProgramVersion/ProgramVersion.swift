/// The version of all commands, which coordinator and workers also tell one another.
package let programVersion = "0.2.0"
