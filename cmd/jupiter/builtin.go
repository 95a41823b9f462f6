package main

import (
	"jupiter/domains/quantities"
	"jupiter/plugins/builtin/fake"
	"jupiter/plugins/builtin/files"
	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/builtin/neardup"
	"jupiter/plugins/builtin/panel"
	"jupiter/plugins/builtin/quality"
	"jupiter/plugins/sdk"
)

// builtins are the plugins that this program serves itself.
func builtins() []sdk.Plugin {
	return []sdk.Plugin{
		fake.Plugin(version),
		files.Plugin(version),
		llama.Plugin(version),
		neardup.Plugin(version),
		panel.Plugin(version),
		quality.Plugin(version),
		quantities.Plugin(version),
	}
}

// serveCommand is the hidden command that serves a built-in plugin.
const serveCommand = "plugin-serve"

// builtinArgs gives the arguments that make this program serve each of its plugins.
func builtinArgs() map[string][]string {
	args := map[string][]string{}
	for _, p := range builtins() {
		args[p.Name] = []string{serveCommand, p.Name}
	}
	return args
}
