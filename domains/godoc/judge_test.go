package godoc

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func open(t testing.TB, goroot string) *Library {
	t.Helper()
	l, err := OpenLibrary(goroot, "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const (
	brick = "package brick\n\n"
	inner = "package inner // import \"brick/inner\"\n\n"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	l := open(t, fixture)
	for name, tc := range map[string]struct {
		text   string
		reason string
		family string
	}{
		"function":                    {brick + "// Twice is two volumes.\nfunc Twice(s Size) int { return 2 * s.Volume() }", "", Func},
		"without a body":              {brick + "// Twice is two volumes.\nfunc Twice(s Size) int", "", Func},
		"in the place of its own":     {brick + "// Bake bakes.\nfunc Bake(n int) kiln.Heat { return kiln.Heat(n) + Bake(n-1) }", "", Func},
		"with the package's imports":  {brick + "// M mixes.\nfunc M() kiln.Heat { return kiln.Fire(mortar.Mix{}.Sand) }", "", Func},
		"with a name of another":      {brick + "// See sees.\nfunc See(p Pane) bool { return Look(p) }", "", Func},
		"fields without names":        {brick + "// Big is big.\nvar Big = Size{1, 2, 3}", "", Var},
		"constants":                   {brick + "// Blue and the rest.\nconst (\n\tBlue = iota + White\n\tGreen\n)", "", Const},
		"a type that has itself":      {brick + "// Row is a row.\ntype Row struct {\n\tnext *Row\n\tof Size\n}", "", Type},
		"method":                      {brick + "// Base is the base.\nfunc (s *Size) Base() int { return s.Length * s.Width }", "", Method},
		"method without names":        {brick + "// Eat eats.\nfunc (s Size) Eat(kiln.Heat, ...int) {}", "", Method},
		"method of a generic type":    {brick + "// First is the first.\nfunc (w *Wall[X]) First() X { return w.bricks[0] }", "", Method},
		"generic without a body":      {brick + "// First is the first.\nfunc (w *Wall[X]) First() X", "", Method},
		"import that is shadowed":     {brick + "// Odd is odd.\nfunc Odd(kiln Size) int { return kiln.Length }", "", Func},
		"below another package":       {inner + "// Cool cools.\nfunc Cool(h Heat) Heat { return h - 1 }", "", Func},
		"unknown name":                {brick + "// Bad is bad.\nfunc Bad() int { return nothing }", doesNotCompile, Func},
		"wrong type":                  {brick + "// Bad is bad.\nfunc Bad() int { return \"\" }", doesNotCompile, Func},
		"no such field":               {brick + "// Bad is bad.\nfunc Bad(s Size) int { return s.Depth }", doesNotCompile, Func},
		"a private name of another":   {brick + "// Bad is bad.\nfunc Bad() { kiln.fire(1) }", doesNotCompile, Func},
		"unused variable":             {brick + "// Bad is bad.\nfunc Bad() { x := 1 }", doesNotCompile, Func},
		"no return":                   {brick + "// Bad is bad.\nfunc Bad() int { }", doesNotCompile, Func},
		"method of nothing":           {brick + "// Bad is bad.\nfunc (n Nothing) Bad() {}", doesNotCompile, Method},
		"method of another's type":    {brick + "// Bad is bad.\nfunc (h kiln.Heat) Bad() {}", doesNotCompile, Method},
		"too few type parameters":     {brick + "// Bad is bad.\nfunc (w *Wall) Bad() {}", doesNotCompile, Method},
		"generic method":              {brick + "// Bad is bad.\nfunc (s Size) Bad[T any]() {}", noParse, ""},
		"wrong instance":              {brick + "// Bad is bad.\nvar Bad Wall[int, int]", doesNotCompile, Var},
		"names another":               {brick + "// Good is good.\nfunc Bad() {}", otherName, Func},
		"held out":                    {"package shapes\n\n// Area is an area.\nfunc Area(c []Point) float64 { return 0 }", heldOut, Func},
		"no such package":             {"package wool\n\n// A is a.\nfunc A() {}", unknownPackage, Func},
		"a path that leads elsewhere": {"package wool // import \"wool/../brick\"\n\n// A is a.\nfunc A() {}", noPackage, ""},
		"another's name":              {"package wool // import \"brick\"\n\n// A is a.\nfunc A() {}", unknownPackage, Func},
		"an import for nothing":       {"package brick // import \"brick\"\n\n// A is a.\nfunc A() {}", noPackage, ""},
		"a command":                   {"package main // import \"cmd/tool\"\n\n// A is a.\nfunc A() {}", unknownPackage, Func},
		"does not parse":              {brick + "// Bad is bad.\nfunc Bad( {}", noParse, ""},
		"two declarations":            {brick + "// Bad is bad.\nfunc Bad() {}\nfunc Worse() {}", noParse, ""},
		"an import":                   {brick + "// Bad is bad.\nimport \"inner\"", noParse, ""},
		"no declaration":              {brick + "// Bad is bad.\n", noDoc, ""},
		"a comment that goes on":      {brick + "// Bad is bad.", noDoc, ""},
		"no comment":                  {brick + "func Bad() {}", noDoc, ""},
		"no package":                  {"// Bad is bad.\nfunc Bad() {}", noPackage, ""},
		"nothing":                     {"", noPackage, ""},
		"too long":                    {brick + "// Bad is bad.\nfunc Bad() {" + strings.Repeat(" ", maxText) + "}", tooLong, ""},
		"constants that double":       {brick + "// A is a.\nconst (\n\tA = \"x\"\n\tB = A + A + A + A + A + A + A\n\tC = B + B + B + B + B + B + B + B\n)", tooComplex, Const},
		"aliases that double":         {brick + "// A is a.\ntype (\n\tA = int\n\tB = func(A) A\n\tC = func(B) B\n\tD = func(C) C\n\tE = func(D) D\n\tF = func(E) E\n\tG = func(F) F\n)", tooComplex, Type},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := l.Judge("", tc.text)
			if j.Reason != tc.reason || j.Family != tc.family || j.Compiles != (tc.reason == "") || j.WellFormed != (tc.family != "") {
				t.Errorf("%+v", j)
			}
			if j.WellFormed && j.Question+j.Answer != tc.text {
				t.Errorf("it is divided into %q and %q", j.Question, j.Answer)
			}
			if i := strings.Index(tc.text, "\nfunc"); i > 0 {
				if two := l.Judge(tc.text[:i+1], tc.text[i+1:]); two != j {
					t.Errorf("with a prompt %+v, without %+v", two, j)
				}
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	l := open(t, fixture)
	const (
		area     = "package shapes\n\n// Area gives the area of a polygon whose corners are given in order.\n"
		areaIs   = "func Area(corners []Point) float64"
		distance = "package shapes\n\n// Distance gives the distance of a point from another.\n"
		distIs   = "func (p Point) Distance(to Point) float64"
	)
	for name, tc := range map[string]struct {
		prompt, text, reference string
		reason                  string
	}{
		"the same":                {area, areaIs, areaIs, ""},
		"other names":             {area, "func Area(p []Point) (area float64)", areaIs, ""},
		"with a body":             {area, areaIs + " {\n\treturn nonsense(", areaIs, ""},
		"with something after it": {area, areaIs + "\n\n// And", areaIs, ""},
		"a longer reference":      {area, areaIs, areaIs + " { return 0 }", ""},
		"variadic":                {area, "func Area(corners ...Point) float64", areaIs, wrongAnswer},
		"another result":          {area, "func Area(corners []Point) float32", areaIs, wrongAnswer},
		"unknown type":            {area, "func Area(corners []Corner) float64", areaIs, wrongAnswer},
		"another name":            {area, "func Areas(corners []Point) float64", areaIs, wrongAnswer},
		"no function":             {area, "type Area struct{}", areaIs, noParse},
		"torn":                    {area, "func Area(corners []", areaIs, noParse},
		"nothing":                 {area, "", areaIs, noParse},
		"method":                  {distance, "func (q Point) Distance(p Point) float64 {", distIs, ""},
		"another receiver":        {distance, "func (p *Point) Distance(to Point) float64", distIs, wrongAnswer},
		"no receiver":             {distance, "func Distance(p, to Point) float64", distIs, wrongAnswer},
		"a struct in it":          {area, "func Area(corners []struct{ X int }) float64 {", areaIs, wrongAnswer},
		"word":                    {area + "func Area(corners", " []Point) float64", " []Point", ""},
		"word that ends":          {area + "func Area", "(corners, x", "(corners", ""},
		"word that goes on":       {area + "func Area", "(cornersOf", "(corners", wrongAnswer},
		"another word":            {area + "func Area", "(points", "(corners", wrongAnswer},
		"no word":                 {area + "func Area", "", "(corners", wrongAnswer},
		"too long":                {area, areaIs + strings.Repeat(" ", maxText), areaIs, tooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := l.Answer(tc.prompt, tc.text, tc.reference)
			if j.Reason != tc.reason || j.Compiles != (tc.reason == "") || j.Compiles && !j.WellFormed {
				t.Errorf("%+v", j)
			}
		})
	}
}

// TestNothingIsLeft: a declaration that was checked is not there for the next one.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	l := open(t, fixture)
	for range 2 {
		if j := l.Judge("", brick+"// Size is another.\ntype Size int"); !j.Compiles {
			t.Errorf("%+v", j)
		}
		if j := l.Judge("", brick+"// New is new.\nfunc New(s Size) int { return s.Width }"); !j.Compiles {
			t.Errorf("%+v", j)
		}
		if j := l.Judge("", brick+"// Newer is newer.\nfunc Newer(s Size) int { return New(s) }"); j.Compiles {
			t.Error("a function of a sample is there for the next one")
		}
	}
}

// TestInstallation proves the judge on what is known to compile: of the real records of this machine's Go nearly all pass, of the
// benchmark's references all, and none of the wrong signatures does, although nearly all of them type-check.
func TestInstallation(t *testing.T) {
	t.Parallel()
	d, err := MakeDataset(installed(t))
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, d.Goroot.Goroot)
	failed := 0
	for i, r := range d.Real {
		if i%4 == 0 && !l.Judge("", r.Prompt+r.Text).Compiles {
			failed++
		}
	}
	if failed > len(d.Real)/4/200 {
		t.Errorf("%d of %d real records do not pass", failed, len(d.Real)/4)
	}
	typed, signatures := 0, 0
	for _, it := range slices.Concat(d.Validation, d.Dev, d.Gate) {
		if j := l.Answer(it.Prompt, it.Reference, it.Reference); !j.Compiles {
			t.Errorf("%s: the reference is %+v", it.Key, j)
		}
		for _, o := range it.Distractors {
			if l.Answer(it.Prompt, o, it.Reference).Compiles {
				t.Errorf("%s: %q is right too", it.Key, o)
			}
			if it.Benchmark != Signature {
				continue
			}
			signatures++
			if _, reason := l.Check(it.Cluster, o); reason == "" {
				typed++
			}
		}
	}
	if typed < signatures*99/100 {
		t.Errorf("%d of %d wrong signatures type-check", typed, signatures)
	}
}

// TestBrokenReal: a real record is not accepted once a letter of its code is another.
func TestBrokenReal(t *testing.T) {
	t.Parallel()
	d, err := MakeDataset(fixture)
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, fixture)
	for _, r := range d.Real {
		if j := l.Judge(r.Prompt, r.Text); !j.Compiles {
			t.Errorf("%s%s: %+v", r.Prompt, r.Text, j)
		}
		for _, word := range []string{"Size", "int", "kiln", "Pane", "Wall"} {
			if !strings.Contains(r.Text[len(r.Text)/3:], word) {
				continue
			}
			broken := r.Text[:len(r.Text)/3] + strings.ReplaceAll(r.Text[len(r.Text)/3:], word, "z"+word)
			if j := l.Judge(r.Prompt, broken); j.Compiles {
				t.Errorf("%s is accepted", broken)
			}
		}
	}
}

func TestOtherVersion(t *testing.T) {
	t.Parallel()
	if _, err := OpenLibrary(fixture, "go1.26.0"); err != nil {
		t.Error(err)
	}
	if _, err := OpenLibrary(fixture, "go1.25.0"); err == nil || !strings.Contains(err.Error(), "domains/godoc/gen") {
		t.Errorf("another version: %v", err)
	}
}

func FuzzJudge(f *testing.F) {
	l := open(f, fixture)
	d, err := MakeDataset(fixture)
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range d.Real {
		f.Add(r.Prompt, r.Text, "")
	}
	for _, it := range slices.Concat(d.Validation, d.Dev, d.Gate) {
		f.Add(it.Prompt, it.Reference, it.Reference)
	}
	f.Fuzz(func(t *testing.T, prompt, text, reference string) {
		begin := time.Now()
		j, a := l.Judge(prompt, text), l.Answer(prompt, text, reference)
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		if j.Compiles && !(j.WellFormed && j.Consistent) || j.Compiles != (j.Reason == "") {
			t.Errorf("%+v", j)
		}
		if j.WellFormed && j.Question+j.Answer != prompt+text {
			t.Errorf("%q is divided into %q and %q", prompt+text, j.Question, j.Answer)
		}
		if a.Compiles != (a.Reason == "") || a.Compiles && !a.WellFormed {
			t.Errorf("%+v", a)
		}
		if again := l.Judge(prompt, text); again != j {
			t.Errorf("%+v, then %+v", j, again)
		}
	})
}
