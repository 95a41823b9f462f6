// Package yamlbody reads YAML as an hcl.Body, so that YAML is a second spelling of the configuration language and not
// a translation into it: the same schemas decode it, and every diagnostic points into the YAML file.
//
// A mapping is a body. A key that the schema calls a block type holds the block: one nested mapping a label, then the
// block's own mapping; a sequence of mappings is several blocks, and null is an empty one. A key that the schema calls
// an attribute holds an expression: sequences and mappings become tuples and objects, and a string that contains ${ or
// %{ is an HCL template. A string that is one ${…} and nothing else keeps the type of what stands inside.
//
// Positions are exact to the character for every style of scalar. The scalar is decoded a second time beside yaml.v3,
// keeping for each byte of the value where it came from; where the two disagree, which no known input causes, all
// positions in the scalar fall back to its start.
//
// Hostile input is bounded: size, depth, and how much aliases may expand to. Duplicate keys, which yaml.v3 lets pass,
// are errors.
package yamlbody
