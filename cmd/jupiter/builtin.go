package main

import (
	"slices"

	"jupiter/domains/godoc"
	"jupiter/domains/quantities"
	"jupiter/plugins/builtin/fake"
	"jupiter/plugins/builtin/files"
	"jupiter/plugins/builtin/llama"
	"jupiter/plugins/builtin/neardup"
	"jupiter/plugins/builtin/openai"
	"jupiter/plugins/builtin/panel"
	"jupiter/plugins/builtin/quality"
	"jupiter/plugins/host"
	"jupiter/plugins/sdk"
)

// builtins are the plugins that this program serves itself.
func builtins() []sdk.Plugin {
	return []sdk.Plugin{
		fake.Plugin(version),
		files.Plugin(version),
		godoc.Plugin(version),
		llama.Plugin(version),
		neardup.Plugin(version),
		openai.Plugin(version),
		panel.Plugin(version),
		quality.Plugin(version),
		quantities.Plugin(version),
	}
}

// isBuiltin says whether a plugin of this name comes with the program.
func isBuiltin(name string) bool {
	return slices.ContainsFunc(builtins(), func(p sdk.Plugin) bool { return p.Name == name })
}

// serveCommand is the hidden command that serves a built-in plugin.
const serveCommand = "plugin-serve"

// builtinPrograms gives this program, at exe, as that of each of its plugins.
func builtinPrograms(exe string) map[string]host.Program {
	programs := map[string]host.Program{}
	for _, p := range builtins() {
		programs[p.Name] = host.Program{Path: exe, Args: []string{serveCommand, p.Name}}
	}
	return programs
}
