package main

import (
	"fmt"
	"strings"
	"time"
)

// list joins names for a sentence.
func list(names []string) string { return strings.Join(names, ", ") }

// span is a duration as people say it: "12s", "3m05s", "2h03m".
func span(d time.Duration) string {
	d = d.Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0:
		return fmt.Sprintf("%dh%02dm", h, m)
	case m > 0:
		return fmt.Sprintf("%dm%02ds", m, s)
	}
	return fmt.Sprintf("%ds", s)
}

// spent is how long an action took; short ones with a fraction.
func spent(seconds float64) string {
	if seconds < 10 {
		return fmt.Sprintf("%.1fs", seconds)
	}
	return span(time.Duration(seconds * float64(time.Second)))
}

// score is a score between 0 and 1 as tables show it.
func score(v *float64) string { return optional(v, "%.4f") }

// optional is a figure that may be absent.
func optional(v *float64, format string) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf(format, *v)
}

// percent is a share with its sign.
func percent(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%+.1f %%", 100**v)
}

// rate is a number of things a second.
func rate(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f/s", v)
	case v >= 10:
		return fmt.Sprintf("%.1f/s", v)
	}
	return fmt.Sprintf("%.2f/s", v)
}

// sizeText is a number of bytes as people say it, in powers of 1000.
func sizeText(n int64) string {
	v, unit := float64(n), 0
	units := []string{"bytes", "kB", "MB", "GB", "TB"}
	for v >= 1000 && unit < len(units)-1 {
		v /= 1000
		unit++
	}
	switch {
	case n == 1:
		return "1 byte"
	case unit == 0:
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[unit])
}

// isAre is the verb for a number of things.
func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
