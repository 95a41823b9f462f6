// Package lang evaluates the expressions of a module: references, functions, and the order that they need.
//
// A Scope holds the names that one module declares. Each name is evaluated once, when something first refers to it, so
// the order of blocks and files does not matter and a reference cycle is found where it closes. An expression is
// evaluated in a context that holds exactly the names it refers to; building that context costs what the expression
// refers to and nothing else, which keeps a module of ten thousand blocks linear.
//
// A reference to a stage, a side of a domain's data or a figure of the state is an address and not a value: it
// evaluates to a capsule that can be passed through locals, variables and outputs, compared, and decoded where an
// address is wanted. Everything else that is done with it is a type error with a position.
//
// Functions are pure. File functions read below the module's directory only; there is no clock, no randomness, and the
// environment is read by env() in the default of a variable and nowhere else.
package lang
