package sdk

import (
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// panicked says where a panic began that a deferred function has just recovered: at the author's line, where what panicked is
// a function of the standard library that it calls.
func panicked() string {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(1, pc)])
	at := ""
	for past := false; ; {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			past = true
		case !past || strings.HasPrefix(f.Function, "runtime."):
		case at == "" || written(f.Function):
			at = fmt.Sprintf(" at %s:%d", filepath.Base(f.File), f.Line)
			if written(f.Function) {
				return at
			}
		}
		if !more {
			return at
		}
	}
}

// mainModule is the module that the program is.
var mainModule = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Path
})

// written says whether a function, such as example.com/words.(*judge).Judge, belongs to no package of the standard library.
func written(function string) bool {
	dir, base := path.Split(function)
	name, _, _ := strings.Cut(base, ".")
	pkg := dir + name
	first, _, _ := strings.Cut(pkg, "/")
	return pkg == "main" || strings.Contains(first, ".") || strings.HasPrefix(pkg+"/", mainModule()+"/")
}
