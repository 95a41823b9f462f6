package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary the program too: scripts run it as jupiter, and the plugin host executes it again.
func TestMain(m *testing.M) {
	if _, ok := os.LookupEnv("JUPITER_HISTORY"); !ok {
		os.Setenv("JUPITER_HISTORY", historyOff) // forecasts of a test are not of the machine's past
	}
	testscript.Main(m, map[string]func(){
		"jupiter": func() {
			w := here()
			w.hook = killer(w)
			_, w.force = w.getenv("JUPITER_TEST_FORCE")
			os.Exit(run(context.Background(), w))
		},
		"modelserver": modelServer,
	})
}

// killer gives a hook that kills the process at a step of the state's: JUPITER_TEST_KILL=STEP:N, the N-th time.
func killer(w *world) func(string) {
	at, ok := w.getenv("JUPITER_TEST_KILL")
	if !ok {
		return nil
	}
	step, count, _ := strings.Cut(at, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		panic(err)
	}
	var seen atomic.Int64
	return func(name string) {
		if name == step && seen.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

var update = flag.Bool("update", false, "write what the commands give into the scripts' golden files")

// TestScripts runs testdata/script. Besides testscript's own commands there are:
//
//	project NAME=VALUE …        puts the fake project into the current directory, with other defaults of its variables.
//	                            cycles=N: with the state that an apply of N cycles leaves; the status of that apply is
//	                            not looked at
//	exits N PROGRAM ARG …       runs a program and checks its exit status
//	edit FILE OLD NEW           replaces the one occurrence of a text; \n is a line break
//	relink PATH TARGET          makes a symbolic link lead elsewhere
//	leads PATH TARGET           a symbolic link leads there
//	damage, rot, lock           see script_state_test.go
//	repack, pack, cut, mask     see script_plan_test.go
//	plugin, archive, goproxy    see script_plugin_test.go
//	towns DIR N                 writes documents for a benchmark
//	chats FILE N                writes conversations for one
//	teacher MODE                starts a server that asks about them; TEACHER is its URL
//	keys FILE PATH NAME …       the object at PATH of a JSON file has these keys and no others. PATH is a dotted list of
//	                            keys and indexes; . is the whole
func TestScripts(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	ready := &fixtures{dir: t.TempDir(), made: map[string]*fixture{}}
	plugins := &elsewhere{dir: t.TempDir()}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_CACHE_HOME", shared) // descriptions of plugins, asked once
			e.Values[held{}] = &holding{}
			e.Setenv("JUPITER_HISTORY", historyOff)
			e.Setenv("PLATFORM", platform)
			caches := goCaches()
			e.Setenv("GOCACHE", caches[0])
			e.Setenv("GOCACHED", filepath.Join(caches[1], "cache", "download"))
			exe, err := exec.LookPath("jupiter")
			e.Setenv("JUPITER", exe) // for scripts that change PATH
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"project": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg {
					ts.Fatalf("unsupported: ! project")
				}
				ts.Check(ready.put(ts.MkAbs("."), shared, args))
			},
			"exits":  exits,
			"rot":    rot,
			"lock":   lock,
			"keys":   keys,
			"damage": damage,
			"edit":   edit,
			"relink": relink,
			"leads":  leads,
			"repack": repack,
			"pack":   pack,
			"cut":    cutOff,
			"mask":   mask,

			"towns":   writeTowns,
			"chats":   writeChats,
			"teacher": teach,

			"plugin":  plugins.plugin,
			"archive": archiveFiles,
			"goproxy": goproxy,
		},
	})
}

// goCaches are where the go command keeps what it has built and downloaded: scripts have no home directory.
var goCaches = sync.OnceValue(func() []string {
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); err == nil && len(lines) == 2 {
		return lines
	}
	return []string{"", ""}
})

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exits N PROGRAM ARG …")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	lines := strings.NewReplacer(`\n`, "\n")
	src, old := ts.ReadFile(args[0]), lines.Replace(args[1])
	if n := strings.Count(src, old); n != 1 {
		ts.Fatalf("%s has %q %d times", args[0], old, n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(src, old, lines.Replace(args[2]), 1)), 0o644))
}

func relink(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: relink PATH TARGET")
	}
	ts.Check(os.Remove(ts.MkAbs(args[0])))
	ts.Check(os.Symlink(args[1], ts.MkAbs(args[0])))
}

func leads(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: leads PATH TARGET")
	}
	if to, err := os.Readlink(ts.MkAbs(args[0])); err != nil || to != args[1] {
		ts.Fatalf("%s leads to %q, want %q (%v)", args[0], to, args[1], err)
	}
}

func keys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: keys FILE PATH NAME …")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for _, step := range strings.FieldsFunc(args[1], func(r rune) bool { return r == '.' }) {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) {
				ts.Fatalf("%s: no element %s of %d", args[1], step, len(at))
			}
			v = at[i]
		}
	}
	object, ok := v.(map[string]any)
	if !ok {
		ts.Fatalf("%s is %v, not an object", args[1], v)
	}
	got, want := slices.Sorted(maps.Keys(object)), slices.Sorted(slices.Values(args[2:]))
	if !slices.Equal(got, want) {
		ts.Fatalf("%s has the keys %v, want %v", args[1], got, want)
	}
}

// fixtures makes each project with a history once, for all scripts that ask for it.
type fixtures struct {
	dir  string
	mu   sync.Mutex
	made map[string]*fixture
}

type fixture struct {
	once sync.Once
	dir  string
	err  error
}

// put makes a project in dir.
func (f *fixtures) put(dir, cache string, args []string) error {
	vars := map[string]string{"gain": "0.01", "max_steps": "40", "delay_ms": "0", "exit_at": "null", "hang_at": "null", "save_every": "10", "promotion": `"auto"`}
	cycles := ""
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		_, known := vars[name]
		switch {
		case ok && name == "cycles":
			cycles = value
		case ok && known:
			vars[name] = value
		default:
			return fmt.Errorf("project: no variable in %q", a)
		}
	}
	if cycles == "" {
		return writeProject(dir, vars)
	}
	key := strings.Join(slices.Sorted(slices.Values(args)), " ")
	f.mu.Lock()
	if f.made[key] == nil {
		f.made[key] = &fixture{dir: filepath.Join(f.dir, strconv.Itoa(len(f.made)))}
	}
	x := f.made[key]
	f.mu.Unlock()
	x.once.Do(func() {
		if x.err = os.Mkdir(x.dir, 0o755); x.err != nil {
			return
		}
		if x.err = writeProject(x.dir, vars); x.err != nil {
			return
		}
		cmd := exec.Command("jupiter", "apply", "--auto-approve", "--cycles", cycles)
		cmd.Dir, cmd.Env = x.dir, append(os.Environ(), "XDG_CACHE_HOME="+cache)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == exitHalted) {
			x.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if x.err != nil {
		return x.err
	}
	return copyTree(x.dir, dir)
}

// writeProject writes the fake project: the configuration, its variables, and the questions of its splits.
func writeProject(dir string, vars map[string]string) error {
	b, err := os.ReadFile(filepath.Join("testdata", "project", "main.jupiter.hcl"))
	if err != nil {
		return err
	}
	files := map[string]string{"main.jupiter.hcl": string(b)}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		files["variables.jupiter.hcl"] += fmt.Sprintf("variable %q {\n  default = %s\n}\n", name, vars[name])
	}
	for name, part := range map[string][2]int{"validation": {1000000, 60}, "dev": {2000000, 100}, "gate": {3000000, 400}} {
		var lines strings.Builder
		for i := part[0]; i < part[0]+part[1]; i++ {
			fmt.Fprintf(&lines, `{"prompt":"fake %d:","reference":"%d","distractors":["%d","%d","%d"],"key":"fake %d"}`+"\n", i, i, i+1, i+2, i+3, i)
		}
		files[name+".jsonl"] = lines.String()
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a project with its links. The store's files are read-only, as they are there.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.MkdirAll(dst, info.Mode().Perm()|0o700)
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, dst)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(dst, b, info.Mode().Perm())
	})
}
