package state

import (
	"bytes"
	"fmt"
	"iter"
	"regexp"
	"slices"

	"jupiter/plan/addr"
	"jupiter/state/artifact"
)

// checker looks at every record of one transaction. It goes on after a violation.
type checker struct {
	tx        *Tx
	found     []Violation
	list      []Artifact
	artifacts map[string]bool
}

func (c *checker) all() {
	c.readable()
	c.meta()
	c.listArtifacts()
	c.actions()
	c.stages()
	c.partials()
	c.pins()
	for _, cycle := range c.tx.cycles() {
		c.generators(cycle)
		c.decisions(cycle)
		c.looks(cycle)
	}
	c.seals()
	c.runs()
}

func (c *checker) say(invariant, subject, format string, args ...any) {
	c.found = append(c.found, Violation{invariant, subject, fmt.Sprintf(format, args...)})
}

// records gives the records that can be read; readable names the others.
func records[T any](seq iter.Seq2[T, error]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for r, err := range seq {
			if err == nil && !yield(r) {
				return
			}
		}
	}
}

// need proves that a digest is recorded.
func (c *checker) need(invariant, subject, digest string) {
	if !c.artifacts[digest] {
		c.say(invariant, subject, "needs artifact %s, which is not recorded", digest)
	}
}

// numbered proves that the keys of a bucket are 1..n, and that the records say so themselves.
func (c *checker) numbered(invariant, subject string, numbers []uint64, path ...string) {
	for i, key := range c.tx.names(true, path...) {
		n, ok := fromU64([]byte(key))
		if !ok || n != uint64(i)+1 {
			c.say(invariant, subject, "number %d has the key %s", i+1, place(path, []byte(key)))
			return
		}
	}
	for i, n := range numbers {
		if n != uint64(i)+1 {
			c.say(invariant, subject, "number %d calls itself %d", i+1, n)
			return
		}
	}
}

// readable proves M17: every value is the canonical JSON of its record.
func (c *checker) readable() {
	for bucket, check := range canonical() {
		walkBucket(c.tx, []string{bucket}, func(path []string, key, raw []byte) {
			if err := check(raw); err != nil {
				c.say("M17", place(path, key), "%v", err)
			}
		})
	}
	slices.SortStableFunc(c.found, func(a, b Violation) int { return bytes.Compare([]byte(a.Subject), []byte(b.Subject)) })
}

// canonical gives for each bucket of records the test of a value.
func canonical() map[string]func([]byte) error {
	return map[string]func([]byte) error{
		bStages: isCanonical[StageRecord], bActions: isCanonical[ActionRecord], bPartials: isCanonical[Partial],
		bArtifacts: isCanonical[Artifact], bPins: isCanonical[Pin], bGenerators: isCanonical[Generator],
		bDecisions: isCanonical[Decision], bLooks: isCanonical[Look], bRuns: isCanonical[Run],
		bJournal: isCanonical[Entry], bEvents: isCanonical[Event], bSeals: isCanonical[Seal],
	}
}

func isCanonical[T any](raw []byte) error {
	record, err := decode[T](raw)
	if err != nil {
		return err
	}
	again, err := encode(record)
	if err != nil {
		return err
	}
	if !bytes.Equal(raw, again) {
		return fmt.Errorf("its JSON is not canonical")
	}
	return nil
}

// walkBucket calls fn for every value below a bucket.
func walkBucket(tx *Tx, path []string, fn func(path []string, key, raw []byte)) {
	b := tx.bucket(path...)
	if b == nil {
		return
	}
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if v != nil {
			fn(path, k, v)
			continue
		}
		walkBucket(tx, append(slices.Clip(path), string(k)), fn)
	}
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func (c *checker) meta() {
	if !uuid.MatchString(c.tx.Lineage()) {
		c.say("M15", "meta/lineage", "%q is no UUID", c.tx.Lineage())
	}
	if c.tx.Serial() > 0 {
		return
	}
	for _, bucket := range buckets() {
		if bucket != bMeta && (c.tx.names(true, bucket) != nil || c.tx.names(false, bucket) != nil) {
			c.say("M15", "meta/serial", "it is 0 and bucket %s has records", bucket)
		}
	}
}

func (c *checker) listArtifacts() {
	c.artifacts = map[string]bool{}
	keys := c.tx.names(true, bArtifacts)
	for a := range records(c.tx.Artifacts()) {
		c.list = append(c.list, a)
		c.artifacts[a.Digest] = true
		if _, err := artifact.ParseDigest(a.Digest); err != nil || !slices.Contains(keys, a.Digest) {
			c.say("M18", "artifacts/"+a.Digest, "its key is another")
		}
	}
}

func (c *checker) actions() {
	for _, key := range c.tx.names(true, bActions) {
		a, ok, err := c.tx.Action(key)
		if err != nil || !ok {
			continue
		}
		if a.ID != key {
			c.say("M18", "actions/"+key, "it calls itself %s", a.ID)
		}
		for _, name := range sorted(a.Outputs) {
			if a.Retained {
				c.need("M1", fmt.Sprintf("output %s of %s", name, a.Address), a.Outputs[name].Digest)
			}
		}
	}
}

func (c *checker) stages() {
	for _, a := range c.tx.Stages() {
		s, _, err := c.tx.Stage(a)
		if err != nil {
			continue
		}
		if _, ok, err := c.tx.Action(s.Action); err == nil && !ok {
			c.say("M4", string(a), "its action %s is not recorded", s.Action)
		}
	}
}

func (c *checker) partials() {
	for _, key := range c.tx.names(true, bPartials) {
		p, ok, err := c.tx.Partial(key)
		if err != nil || !ok {
			continue
		}
		if p.Lineage != key {
			c.say("M18", "partials/"+key, "it calls itself %s", p.Lineage)
		}
		for _, digest := range p.Digests() {
			c.need("M5", "progress of "+p.Address, digest)
		}
	}
}

func (c *checker) pins() {
	for _, digest := range c.tx.Pinned() {
		c.need("M3", "pins/"+digest, digest)
		for p := range records(each[Pin](c.tx, bPins, digest)) {
			if p.Digest != digest {
				c.say("M18", "pins/"+digest, "%s pins %s", p.Address, p.Digest)
			}
		}
	}
}

func (c *checker) generators(cycle addr.Address) {
	all := slices.Collect(records(each[Generator](c.tx, bGenerators, string(cycle))))
	var numbers []uint64
	for _, g := range all {
		what := fmt.Sprintf("generator v%d of %s", g.Version, cycle)
		numbers = append(numbers, g.Version)
		if g.Base != (g.Version == 1) {
			c.say("M7", what, "base: %t; version 1 and no other is the base", g.Base)
		}
		if !g.Released {
			c.need("M3", what, g.Digest)
			if _, ok, err := get[Pin](c.tx, []byte(cycle), bPins, g.Digest); err == nil && !ok {
				c.say("M7", what, "the cycle does not pin it")
			}
		}
		if g.Epoch == 0 {
			continue
		}
		if d, ok, err := c.tx.Decision(cycle, g.Epoch); err == nil && (!ok || d.Promoted != g.Version) {
			c.say("M10", what, "decision %d did not promote it", g.Epoch)
		}
	}
	c.numbered("M6", "generators of "+string(cycle), numbers, bGenerators, string(cycle))
	c.current(cycle, all)
}

func (c *checker) current(cycle addr.Address, all []Generator) {
	current, ok, err := c.tx.Current(cycle)
	if err != nil {
		c.say("M8", string(cycle), "%v", err)
		return
	}
	if !ok {
		return
	}
	i := slices.IndexFunc(all, func(g Generator) bool { return g.Version == current })
	switch {
	case i < 0:
		c.say("M8", string(cycle), "current is v%d, which is not in the history", current)
	case all[i].Withdrawn:
		c.say("M8", string(cycle), "current is v%d, which was withdrawn", current)
	case all[i].Released:
		c.say("M8", string(cycle), "current is v%d, which was released", current)
	}
}

func (c *checker) decisions(cycle addr.Address) {
	var numbers []uint64
	for d := range records(each[Decision](c.tx, bDecisions, string(cycle))) {
		numbers = append(numbers, d.Epoch)
		if err := c.tx.checkDecision(cycle, d); err != nil {
			c.say("M10", fmt.Sprintf("decision %d of %s", d.Epoch, cycle), "%v", err)
		}
	}
	c.numbered("M9", "decisions of "+string(cycle), numbers, bDecisions, string(cycle))
}

func (c *checker) looks(cycle addr.Address) {
	decided := map[uint64]int{}
	for d := range records(each[Decision](c.tx, bDecisions, string(cycle))) {
		if d.Look != nil {
			decided[*d.Look]++
		}
	}
	var numbers []uint64
	seen := map[string]uint64{}
	for l := range records(each[Look](c.tx, bLooks, string(cycle))) {
		what := fmt.Sprintf("look %d of %s", l.K, cycle)
		numbers = append(numbers, l.K)
		if first, ok := seen[l.Evaluation]; ok {
			c.say("M13", what, "evaluation %s is look %d", l.Evaluation, first)
		}
		seen[l.Evaluation] = l.K
		if n := decided[l.K]; !l.Destroyed && l.Verdict != "" && n != 1 || n > 1 {
			c.say("M13", what, "it said %q, and %d decisions come from it", l.Verdict, n)
		}
	}
	c.numbered("M13", "looks of "+string(cycle), numbers, bLooks, string(cycle))
}

func (c *checker) seals() {
	for _, domain := range c.tx.SealedDomains() {
		var numbers []uint64
		for s := range records(each[Seal](c.tx, bSeals, domain)) {
			numbers = append(numbers, s.Version)
			c.need("M14", fmt.Sprintf("seal %d of %s", s.Version, domain), s.Index)
			if s.Domain != domain {
				c.say("M18", "seals/"+domain, "it calls itself %s", s.Domain)
			}
		}
		c.numbered("M14", "seals of "+domain, numbers, bSeals, domain)
	}
}

func (c *checker) runs() {
	for _, key := range c.tx.names(true, bRuns) {
		r, ok, err := c.tx.Run(key)
		if err == nil && ok && r.ID != key {
			c.say("M18", "runs/"+key, "it calls itself %s", r.ID)
		}
	}
	for _, run := range c.tx.names(false, bJournal) {
		if _, ok, err := c.tx.Run(run); err == nil && !ok {
			c.say("M19", "journal/"+run, "the run is not recorded")
		}
		c.numbered("M19", "journal/"+run, seqs(records(c.tx.Journal(run)), func(e Entry) uint64 { return e.Seq }), bJournal, run)
	}
	c.numbered("M19", "events", seqs(records(c.tx.Events()), func(e Event) uint64 { return e.Seq }), bEvents)
}

func seqs[T any](all iter.Seq[T], seq func(T) uint64) []uint64 {
	var numbers []uint64
	for r := range all {
		numbers = append(numbers, seq(r))
	}
	return numbers
}
