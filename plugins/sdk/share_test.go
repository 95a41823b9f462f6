package sdk_test

import (
	"strings"
	"testing"

	"jupiter/plugins/sdk"
)

// TestShares: a cursor leaves what comes after it, a start index that is later counts, and what cannot be is refused.
func TestShares(t *testing.T) {
	t.Parallel()
	sets := []*sdk.PromptSet{{Template: "a", Samples: 5}, {Template: "b", StartIndex: 2, Samples: 4}, {Template: "c", Samples: 1}}
	type left struct {
		template string
		from, to uint64
	}
	b := sdk.Share{PromptSet: sets[1]}
	for name, tt := range map[string]struct {
		cursor []byte
		want   []left
	}{
		"from the beginning":    {nil, []left{{"a", 0, 5}, {"b", 2, 6}, {"c", 0, 1}}},
		"in the second":         {b.Cursor(4), []left{{"b", 4, 6}, {"c", 0, 1}}},
		"a start that is later": {b.Cursor(1), []left{{"b", 2, 6}, {"c", 0, 1}}},
		"past the end":          {b.Cursor(9), []left{{"b", 6, 6}, {"c", 0, 1}}},
	} {
		got, err := sdk.Shares(sets, tt.cursor)
		if err != nil || len(got) != len(tt.want) {
			t.Errorf("%s: %d shares, %v", name, len(got), err)
			continue
		}
		for i, w := range tt.want {
			if (left{got[i].GetTemplate(), got[i].From, got[i].To}) != w {
				t.Errorf("%s: share %d is %v from %d to %d, want %+v", name, i, got[i].GetTemplate(), got[i].From, got[i].To, w)
			}
		}
	}
	for cursor, want := range map[string]string{"{": "not one of this generator", string(sdk.Share{PromptSet: &sdk.PromptSet{Template: "z"}}.Cursor(1)): `template "z"`} {
		if _, err := sdk.Shares(sets, []byte(cursor)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("cursor %s: %v, want %q", cursor, err, want)
		}
	}
	if _, err := sdk.Shares([]*sdk.PromptSet{{StartIndex: 1 << 63, Samples: 1 << 63}}, nil); err == nil {
		t.Error("a set whose end overflows is taken")
	}
}

// TestSampleSeed: another call, template or sample has another seed, and one that was begun with an older version keeps it.
func TestSampleSeed(t *testing.T) {
	t.Parallel()
	seen := map[uint64]bool{}
	for seed := range uint64(3) {
		for _, template := range []string{"", "a", "b"} {
			for i := range uint64(20) {
				seen[sdk.SampleSeed(seed, template, i)] = true
			}
		}
	}
	if len(seen) != 3*3*20 {
		t.Errorf("%d seeds", len(seen))
	}
	if got := sdk.SampleSeed(1, "a", 2); got != 0xce701888b0c29edd {
		t.Errorf("the seed is %#x", got)
	}
}
