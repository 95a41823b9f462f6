package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"jupiter/plugins/schema"
)

// Options are what Load must know besides the files.
type Options struct {
	// Vars are values for the root module's variables, by name. A value is taken as it is where the variable's type is
	// string, and is an HCL expression otherwise.
	Vars map[string]string
	// VarFiles are files of values: NAME = value lines in HCL, or a mapping in YAML (*.yaml). A later file wins over
	// an earlier one, and Vars over both.
	VarFiles []string
	// Env looks up an environment variable for env() in a variable's default. nil: there are none.
	Env func(string) (string, bool)
	// Schemas finds what a block's first label names.
	Schemas Schemas
	// Overlay are the texts of files that are read in place of what is on the disk, by absolute path: an editor's buffers.
	Overlay map[string][]byte
	// Plugins is told what the configuration requires, before anything asks Schemas: Dir, StateDir, Offline and Plugins of
	// the Config are set, and nothing else. Where it reports an error, stages of unknown types are passed over: the plugin
	// that is missing may offer them. nil: nobody wants to know.
	Plugins func(*Config) hcl.Diagnostics
	// Unbuilt lets benchmarks that are made from documents be missing, or too small: they are about to be made.
	Unbuilt bool
	// Version is the program's, for required_version. "": a build without a version, which satisfies everything.
	Version string
}

// Schemas knows the stages that the plugins at hand offer.
type Schemas interface {
	// Stage gives the schema of a stage. The error's text says what there is instead.
	Stage(kind, typ string) (*schema.Stage, error)
}

// Files are the sources of a configuration by the name that its ranges use.
type Files map[string]*hcl.File

// maxSource bounds one file of the configuration: 16 MiB.
const maxSource = 16 << 20

// Load reads the module at path, a directory or a single file of it, and all that it calls. The Config is never nil.
// The Files hold everything that a diagnostic can point to.
func Load(path string, o Options) (*Config, Files, hcl.Diagnostics) {
	cfg, _, files, diags := Open(path, o)
	return cfg, files, diags
}

// begin parses the root module and decodes what concerns the program as a whole: settings, and the plugins that all
// modules require. nil: there is no module.
func (l *loader) begin(path string) *module {
	dir, names, err := FindModule(path, slices.Sorted(maps.Keys(l.opts.Overlay))...)
	if err == nil {
		l.root, err = filepath.Abs(dir)
	}
	if err != nil {
		l.add(&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No configuration", Detail: capital(err.Error()) + "."})
		return nil
	}
	l.cfg.Dir, l.cfg.StateDir = l.root, filepath.Join(l.root, ".jupiter")
	mod := l.module(dir, l.root, names)
	l.settings(mod)
	return mod
}

// load fills in the Config and gives the root module; nil where there is none.
func (l *loader) load(path string) *instance {
	mod := l.begin(path)
	if mod == nil {
		return nil
	}
	if l.opts.Plugins != nil {
		diags := l.opts.Plugins(l.cfg)
		l.unresolved = l.unresolved || diags.HasErrors()
		l.add(diags...)
	}
	root := l.instance(mod, "", nil)
	root.args = l.rootArgs(root)
	root.evaluate()
	root.collect()
	for _, f := range l.links {
		f()
	}
	rules := rulesOfParts()
	if !l.diags.HasErrors() {
		rules = append(rules, rulesOfWhole()...)
	}
	l.add(checkAll(l.cfg, rules)...)
	return root
}

// loader is one call of Load.
type loader struct {
	opts     Options
	root     string // absolute
	cfg      *Config
	files    Files
	modules  map[string]*module // by absolute directory
	decoders map[string]*bodyDecoder
	stages   map[string]*Stage // by address
	links    []func()          // to run when all blocks are decoded
	diags    hcl.Diagnostics

	unresolved bool // a required plugin is not there, which was reported
}

func (l *loader) add(d ...*hcl.Diagnostic) { l.diags = append(l.diags, d...) }

// IsFile says whether a file name is one of a module's.
func IsFile(name string) bool {
	return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".jupiter.hcl") || strings.HasSuffix(name, ".jupiter.yaml"))
}

// FindModule gives the directory of the module at path, and the names of its files there: all of them where path is a
// directory, that one where it is a file. Files of the older form, config/cluster.yaml and config/domains/*.yaml, are
// files of the directory too. "" is the current directory. unsaved are the absolute paths of files that are taken as there,
// whether they are or not.
func FindModule(path string, unsaved ...string) (dir string, names []string, err error) {
	if path == "" {
		path = "."
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", nil, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && slices.Contains(unsaved, abs) && IsFile(filepath.Base(path)) {
		return filepath.Dir(path), []string{filepath.Base(path)}, nil
	} else if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("there is no file or directory %s", path)
	} else if err != nil {
		return "", nil, err
	}
	if !info.IsDir() {
		if !IsFile(filepath.Base(path)) {
			hint := ""
			if strings.HasSuffix(path, ".yaml") {
				hint = "; jupiter domain import reads the older form"
			}
			return "", nil, fmt.Errorf("%s is not a configuration file: its name must end in .jupiter.hcl or .jupiter.yaml%s", path, hint)
		}
		return filepath.Dir(path), []string{filepath.Base(path)}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", nil, err
	}
	for _, e := range entries {
		if IsFile(e.Name()) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	for _, u := range unsaved {
		if name := filepath.Base(u); filepath.Dir(u) == abs && IsFile(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	names = append(names, OlderFiles(path)...)
	if len(names) == 0 {
		return "", nil, fmt.Errorf("the directory %s has no *.jupiter.hcl or *.jupiter.yaml file", path)
	}
	return path, names, nil
}

// ReadFile reads a file of a configuration, of at most maxSource bytes.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads at most maxSource bytes of a configuration; name is for the error where there are more.
func Read(r io.Reader, name string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSource+1))
	if err == nil && len(b) > maxSource {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxSource>>20)
	}
	return b, err
}

// tidy sorts diagnostics by place, drops repetitions, and takes out of those that could show a sensitive value what
// would show it.
func tidy(diags hcl.Diagnostics) hcl.Diagnostics {
	sort.SliceStable(diags, func(i, j int) bool {
		a, b := diags[i].Subject, diags[j].Subject
		switch {
		case (a == nil) != (b == nil):
			return a == nil
		case a == nil:
			return diags[i].Detail < diags[j].Detail
		case a.Filename != b.Filename:
			return a.Filename < b.Filename
		case a.Start.Byte != b.Start.Byte:
			return a.Start.Byte < b.Start.Byte
		}
		return diags[i].Summary+diags[i].Detail < diags[j].Summary+diags[j].Detail
	})
	var out hcl.Diagnostics
	seen := map[string]bool{}
	for _, d := range diags {
		key := d.Error() + d.Detail
		if seen[key] {
			continue
		}
		seen[key] = true
		if d.Expression != nil && d.EvalContext != nil && secretIn(d.Expression, d.EvalContext) {
			c := *d
			c.Expression, c.EvalContext = nil, nil
			switch d.Summary {
			case "Invalid function argument", "Error in function call": // functions quote their arguments
				c.Detail = "A function failed on something made from a sensitive value, so its message is not shown."
			case "Duplicate object key": // as a for expression does its keys
				c.Detail = "Two items have the same key, which is made from a sensitive value and not shown."
			}
			d = &c
		}
		out = append(out, d)
	}
	return out
}

func secretIn(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	for _, t := range expr.Variables() {
		if v, diags := t.TraverseAbs(ctx); diags.HasErrors() || v.ContainsMarked() {
			return true
		}
	}
	return false
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
