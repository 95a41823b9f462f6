package jupiter

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list gave %d packages", len(all))
	}
	return all
}

// under says whether a package is in a room: the package of that name or one below it.
func under(pkg string, rooms ...string) bool {
	return slices.ContainsFunc(rooms, func(r string) bool { return pkg == r || strings.HasPrefix(pkg, r+"/") })
}

// TestLayers holds who may import whom inside the project: a room may import the rooms that its line names and its own.
func TestLayers(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{
		"jupiter/cmd":                    {"jupiter"},
		"jupiter/runtime/gate":           {"jupiter/runtime/guard"},
		"jupiter/runtime/history":        {"jupiter/plan/forecast"},
		"jupiter/runtime/guard":          {},
		"jupiter/runtime/mix":            {},
		"jupiter/runtime/notify":         {},
		"jupiter/runtime/seal":           {},
		"jupiter/runtime/questions":      {"jupiter/runtime/seal"},
		"jupiter/runtime":                {"jupiter/runtime", "jupiter/plan", "jupiter/plugins/host", "jupiter/plugins/sdk", "jupiter/plugins/contract", "jupiter/plugins/schema", "jupiter/plugins/proto", "jupiter/state"},
		"jupiter/plan/addr":              {},
		"jupiter/plan/lang":              {"jupiter/plan/addr"},
		"jupiter/plan/config":            {"jupiter/plan/addr", "jupiter/plan/lang", "jupiter/plugins/schema"},
		"jupiter/plan/forecast":          {},
		"jupiter/plan":                   {"jupiter/plan", "jupiter/state", "jupiter/plugins/schema"},
		"jupiter/state":                  {"jupiter/state", "jupiter/plan/addr"},
		"jupiter/plugins/proto":          {"jupiter/plugins/proto"},
		"jupiter/plugins/schema":         {"jupiter/plugins/proto"},
		"jupiter/plugins/sdk":            {"jupiter/plugins/sdk", "jupiter/plugins/proto", "jupiter/plugins/schema"},
		"jupiter/plugins/contract":       {"jupiter/plugins/proto", "jupiter/plugins/schema"},
		"jupiter/plugins/host":           {"jupiter/plugins/host", "jupiter/plugins/contract", "jupiter/plugins/sdk", "jupiter/plugins/proto", "jupiter/plugins/schema"},
		"jupiter/plugins/lockfile":       {},
		"jupiter/plugins/install":        {"jupiter/plugins/lockfile", "jupiter/plugins/host", "jupiter/plugins/sdk"},
		"jupiter/plugins/scaffold":       {"jupiter/plugins/sdk", "jupiter/plugins/proto"},
		"jupiter/plugins/builtin":        {"jupiter/plugins/sdk", "jupiter/plugins/proto"},
		"jupiter/plugins/builtin/openai": {"jupiter/plugins/builtin/llama", "jupiter/plugins/sdk", "jupiter/plugins/proto"}, // who scores what it serves
		"jupiter/domains":                {"jupiter/domains/dataset", "jupiter/plugins/sdk", "jupiter/plugins/proto"},
		"jupiter/domains/dataset":        {},
		"jupiter/runtime/serve":          {"jupiter/runtime"},
		"jupiter/bench":                  {"jupiter/bench/figures", "jupiter/runtime", "jupiter/plan", "jupiter/plugins", "jupiter/state"},
		"jupiter/examples":               {}, // what makes an example's data
		"jupiter/plugins/conformance":    {"jupiter/plugins/host", "jupiter/plugins/contract", "jupiter/plugins/sdk", "jupiter/plugins/schema", "jupiter/plugins/proto"},
	}
	// The longest room wins: runtime/gate before runtime.
	rooms := make([]string, 0, len(allowed))
	for r := range allowed {
		rooms = append(rooms, r)
	}
	slices.SortFunc(rooms, func(a, b string) int { return len(b) - len(a) })
	for _, p := range packages(t) {
		i := slices.IndexFunc(rooms, func(r string) bool { return under(p.ImportPath, r) })
		if i < 0 {
			if p.ImportPath != "jupiter" {
				t.Errorf("%s is in no room of docs/architecture.md", p.ImportPath)
			}
			continue
		}
		room := rooms[i]
		own := room
		if room == "jupiter/plugins/builtin" || room == "jupiter/domains" { // one stage's room is not another's
			own = strings.Join(strings.SplitN(p.ImportPath, "/", 5)[:min(4, strings.Count(p.ImportPath, "/")+1)], "/")
			if room == "jupiter/domains" {
				own = strings.Join(strings.SplitN(p.ImportPath, "/", 4)[:min(3, strings.Count(p.ImportPath, "/")+1)], "/")
			}
		}
		for _, imp := range p.Imports {
			if !under(imp, "jupiter") || under(imp, own) {
				continue
			}
			if !under(imp, allowed[room]...) {
				t.Errorf("%s imports %s, which %s may not", p.ImportPath, imp, room)
			}
			if under(imp, "jupiter/cmd") {
				t.Errorf("%s imports %s: nothing imports cmd", p.ImportPath, imp)
			}
		}
	}
}

// TestLibraries holds which room may use which library.
func TestLibraries(t *testing.T) {
	t.Parallel()
	only := map[string][]string{
		"go.etcd.io/bbolt":               {"jupiter/state"},
		"github.com/hashicorp/go-plugin": {"jupiter/plugins/host", "jupiter/plugins/sdk"},
		"gorgonia.org/gorgonia":          {"jupiter/plugins/builtin/llama"},
		"gorgonia.org/tensor":            {"jupiter/plugins/builtin/llama"},
		"github.com/spf13/cobra":         {"jupiter/cmd"},
		"gonum.org/v1/plot":              {"jupiter/cmd"},
		"google.golang.org/grpc":         {"jupiter/plugins"},
		"github.com/zclconf/go-cty":      {"jupiter/plan", "jupiter/plugins/schema", "jupiter/plugins/lockfile", "jupiter/plugins/sdk", "jupiter/plugins/conformance", "jupiter/runtime", "jupiter/cmd"},
		"github.com/hashicorp/hcl/v2":    {"jupiter/plan", "jupiter/plugins/schema", "jupiter/plugins/lockfile", "jupiter/cmd"},
		"github.com/klauspost/compress":  {"jupiter/plugins/sdk"},
		"github.com/bmatcuk/doublestar":  {"jupiter/plugins/builtin/files", "jupiter/plan/lang", "jupiter/runtime"},
		"gopkg.in/yaml.v3":               {"jupiter/plan"},
		"gonum.org/v1/gonum/stat/distuv": {"jupiter/runtime/gate"},
	}
	pure := []string{"jupiter/runtime/gate", "jupiter/runtime/guard", "jupiter/runtime/mix", "jupiter/runtime/seal", "jupiter/runtime/questions", "jupiter/plan/forecast", "jupiter/plugins/lockfile"}
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			for lib, rooms := range only {
				if under(imp, lib) && !under(p.ImportPath, rooms...) {
					t.Errorf("%s imports %s: only %v may", p.ImportPath, imp, rooms)
				}
			}
			if slices.Contains(pure, p.ImportPath) && slices.Contains([]string{"os", "time", "net", "io/ioutil", "math/rand"}, imp) {
				t.Errorf("%s imports %s: it is pure", p.ImportPath, imp)
			}
			if imp == "C" {
				t.Errorf("%s uses cgo", p.ImportPath)
			}
		}
	}
}
