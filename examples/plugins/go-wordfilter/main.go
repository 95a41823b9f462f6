// Command wordfilter is a plugin of Jupiter, made outside of its repository's module as anybody's is: a filter that drops
// records with certain words or patterns.
package main

import "jupiter/plugins/sdk"

func main() { sdk.Serve(plugin) }
