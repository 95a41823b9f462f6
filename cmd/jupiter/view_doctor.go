package main

import "fmt"

// viewExamination writes what was found, by what it is about.
func viewExamination(w *world, x *examination) {
	paint := w.paint(w.out)
	styles := map[string]string{"ok": green, "missing": yellow, "problem": red}
	about := ""
	for _, d := range x.Findings {
		if d.About != about {
			if about != "" {
				fmt.Fprintln(w.out)
			}
			about = d.About
			title := about
			switch about {
			case "machine":
				title = "This machine"
			case "plan":
				title = "The plan"
			}
			fmt.Fprintln(w.out, paint.as(bold, title))
		}
		fmt.Fprintf(w.out, "  %s %s %s\n", paint.as(styles[d.Level], pad(d.Level, 8)), pad(d.Subject, 16), d.Detail)
	}
	switch x.Problems {
	case 0:
		fmt.Fprintln(w.out, "\nNothing is wrong.")
	default:
		fmt.Fprintf(w.out, "\n%s.\n", plural(x.Problems, "problem"))
	}
}
