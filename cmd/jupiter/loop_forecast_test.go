package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jupiter/plan/forecast"
)

var forecastOf = flag.String("forecast.of", "", "TestForecastOfTheFourth with the `project` tiny (a minute or two), or with an example such as quickstart (four times its time)")

// TestForecastOfTheFourth: three runs of a project on a machine, each in a copy and from nothing, and the forecast of the
// fourth holds the time that it takes, its tokens, its memory and its disk. The copies share a history and nothing else.
// It is asked for by hand, as make bench-forecast does: what a machine does meanwhile is no matter of the program.
func TestForecastOfTheFourth(t *testing.T) {
	if *forecastOf == "" {
		t.Skip("four runs of real models: run make bench-forecast")
	}
	history := filepath.Join(t.TempDir(), "state")
	var s runShow
	for n := 1; n <= 4; n++ {
		var dir string
		if *forecastOf == "tiny" {
			dir = loopTiny(t)
		} else {
			root := t.TempDir()
			copyExample(t, root, *forecastOf)
			dir = filepath.Join(root, "examples", *forecastOf)
		}
		s = forecastRun(t, dir, history)
		t.Logf("run %d\n%s", n, describe(s.Compare))
		if n == 1 && s.Compare[0].Forecast != nil {
			t.Error("the first run has a forecast of its time from nowhere")
		}
	}
	for _, c := range s.Compare[:4] {
		if c.Within == nil || !*c.Within {
			t.Errorf("the forecast of %s does not hold", c.Name)
		}
	}
	f := s.Compare[0]
	if f.Forecast == nil || f.Actual == nil {
		t.Fatal("the fourth run has no forecast of its time")
	}
	if f.Forecast.High > 10*f.Forecast.Low {
		t.Errorf("an interval of %v says nothing", *f.Forecast)
	}
	b, err := json.Marshal(map[string]any{"project": *forecastOf, "low_s": f.Forecast.Low, "mid_s": f.Forecast.Mid, "high_s": f.Forecast.High, "actual_s": *f.Actual, "covered": *f.Within})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("RESULT %s", b)
}

// forecastRun applies a project with a machine history, and gives what runs show says of it.
func forecastRun(t *testing.T, dir, history string) runShow {
	t.Helper()
	var s runShow
	for _, args := range [][]string{{"apply", "--auto-approve"}, {"runs", "show", "last", "--json"}} {
		cmd := loopCommand(t, dir, args...)
		cmd.Env = append(cmd.Env, "JUPITER_HISTORY=on", "XDG_STATE_HOME="+history)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		if args[0] == "runs" {
			if err := json.Unmarshal(out, &s); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func describe(rows []compared) string {
	var b strings.Builder
	viewComparison(&b, rows)
	return b.String()
}

// TestProbe: a plan of a project without a history tries a few items of what it would run, and has a forecast of the
// time then. It changes nothing, and leaves nothing behind.
func TestProbe(t *testing.T) {
	t.Parallel()
	dir, temp := loopTiny(t), t.TempDir()
	cmd := loopCommand(t, dir, "plan", "--probe", "--json")
	cmd.Env = append(cmd.Env, "TMPDIR="+temp)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var p struct {
		Forecast forecast.Plan
		Changes  []struct {
			Address  string
			Forecast *forecast.Usage
		}
	}
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	f := p.Forecast
	if !f.Probed || f.Samples != 0 || len(f.Notes) > 0 || f.Turn.Seconds == nil || f.Whole.Seconds == nil {
		t.Fatalf("the forecast is %+v", f)
	}
	t.Logf("this cycle %+v s, all %+v s", *f.Turn.Seconds, *f.Whole.Seconds)
	for _, c := range p.Changes {
		if c.Address == "trainer.llama.student" && (c.Forecast == nil || c.Forecast.Seconds == nil || c.Forecast.MemoryBytes == nil) {
			t.Errorf("training: %+v", c.Forecast)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".jupiter", "state.db")); !os.IsNotExist(err) {
		t.Errorf("the probe made a state: %v", err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("the probe left %v, %v", left, err)
	}
}
