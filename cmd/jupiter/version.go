package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"jupiter/plan/planfile"
	"jupiter/plugins/sdk"
	"jupiter/state"
)

// version is the program's, and that of the plugins built into it.
const version = "0.1.0"

// versionInfo is what jupiter version says.
type versionInfo struct {
	Schema         string `json:"schema"`
	Version        string `json:"version"`
	Revision       string `json:"revision"` // of the source; "": not known
	Modified       bool   `json:"modified"` // the source had changes that were not committed
	Go             string `json:"go"`
	Platform       string `json:"platform"`
	StateFormat    uint64 `json:"state_format"`
	PlanFormat     uint64 `json:"plan_format"`
	PluginProtocol uint64 `json:"plugin_protocol"`
}

func newVersionCommand(w *world) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which version this is, and which formats it knows",
		Long: `Say which version this is, which source it was built from, and which formats of state, plan file and plugin
protocol it knows.

Exit status: 0 done, 1 error.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return showVersion(w, asJSON) },
	}
	addJSON(cmd, &asJSON, "version")
	return cmd
}

func showVersion(w *world, asJSON bool) error {
	v := versionInfo{Schema: "jupiter.version/v1", Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		StateFormat: state.Format, PlanFormat: planfile.Format, PluginProtocol: sdk.ProtocolVersion}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Revision = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			}
		}
	}
	if asJSON {
		return w.json(v)
	}
	fmt.Fprintf(w.out, "jupiter %s (%s, %s)\n", v.Version, v.Go, v.Platform)
	if v.Revision != "" {
		changed := ""
		if v.Modified {
			changed = ", with changes"
		}
		fmt.Fprintf(w.out, "revision %s%s\n", v.Revision, changed)
	}
	fmt.Fprintf(w.out, "state format %d, plan format %d, plugin protocol %d\n", v.StateFormat, v.PlanFormat, v.PluginProtocol)
	return nil
}
