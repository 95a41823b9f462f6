package main

import (
	"fmt"
	"strings"

	"jupiter/plugins/lockfile"
)

func viewInit(w *world, r initResult, userConfig string) {
	if len(r.Plugins) == 0 {
		fmt.Fprintln(w.out, "No plugins are required besides those that come with the program.")
	}
	for _, p := range r.Plugins {
		fmt.Fprintf(w.out, "  %s %s\n", pad(p.Name, 16), initText(p, userConfig))
	}
	for _, name := range r.Forgotten {
		fmt.Fprintf(w.out, "  %s is not required any more, and no longer locked\n", pad(name, 16))
	}
	switch {
	case r.Changed:
		fmt.Fprintf(w.out, "\nWrote %s. Commit it with the configuration.\n", lockfile.Name)
	case len(r.Plugins) > 0:
		fmt.Fprintf(w.out, "\n%s is as it was.\n", lockfile.Name)
	}
}

func initText(p initPlugin, userConfig string) string {
	switch p.Action {
	case "overridden":
		return "is " + p.Path + ", as dev_overrides in " + userConfig + " says; nothing is locked of it"
	case "locked":
		return p.Version + " locked, from " + p.Source + how(p)
	case "upgraded":
		if p.Was == p.Version {
			return p.Version + " locked as it is now, from " + p.Source + how(p)
		}
		return p.Was + " → " + p.Version + ", from " + p.Source + how(p)
	case "installed":
		return p.Version + " installed as it is locked"
	}
	return p.Version + " as it is locked"
}

// how says what is uncommon about a plugin's connections.
func how(p initPlugin) string {
	switch p.TLS {
	case "given":
		return "; the host makes its certificate"
	case "off":
		return "; its connections are not secured"
	}
	return ""
}

func viewPlugins(w *world, l pluginList) {
	var rows [][]string
	var problems []string
	for _, p := range l.Plugins {
		source := p.Source
		switch {
		case p.Builtin:
			source = "built in"
		case p.Overridden:
			source = "dev_overrides: " + p.Path
		}
		rows = append(rows, []string{p.Name, orNone(p.Version), source, orNone(strings.Join(p.Stages, ", ")), orNone(cut(p.Checksum, 12)), orNone(p.TLS)})
		if p.Problem != "" {
			problems = append(problems, fmt.Sprintf("%s cannot be used: %s", p.Name, p.Problem))
		}
	}
	table(w.out, "", []string{"plugin", "version", "source", "stages", "sha-256", "tls"}, rows)
	if len(problems) > 0 {
		fmt.Fprintf(w.out, "\n%s\n", strings.Join(problems, "\n"))
	}
	if len(l.Lacks) > 0 {
		fmt.Fprintf(w.out, "\nThis system confines plugins less than it could:\n  %s\n", strings.Join(l.Lacks, "\n  "))
	}
}

func viewLocked(w *world, l sharedList) {
	for _, p := range l.Plugins {
		what := "is locked already"
		if p.New {
			what = "locked"
		}
		fmt.Fprintf(w.out, "  %s %s for %s %s: sha256:%s\n", p.Name, p.Version, p.Platform, what, p.Checksum)
	}
	if l.Changed {
		fmt.Fprintf(w.out, "\nWrote %s. Commit it with the configuration.\n", lockfile.Name)
	} else {
		fmt.Fprintln(w.out, "Nothing to add.")
	}
}

func viewMirrored(w *world, l sharedList) {
	for _, p := range l.Plugins {
		what := "is there already"
		if p.New {
			what = "written"
		}
		fmt.Fprintf(w.out, "  %s %s\n", p.File, what)
	}
	if len(l.Plugins) == 0 {
		fmt.Fprintln(w.out, "No plugins are required besides those that come with the program.")
		return
	}
	fmt.Fprintf(w.out, "\nTo install from it, type: jupiter init --plugin-dir %s\n", l.Mirror)
}
