package main

import "fmt"

// tiles emits the matrix tiles: what they compute, and the order in which they do, is said in avx_gemm.go and is the same
// here.
//
// Twelve rows of two vectors are 24 chains: a multiply-add takes four cycles, and the widest cores start four in each, so
// 16 chains would do if nothing ever waited. An element of A is loaded alone and multiplied as a lane of its register:
// spreading it over a register by the load would take the multipliers' time on many cores.
func (a *neon) tiles() {
	for rows := 1; rows <= a.tileRows; rows++ {
		for vecs := 1; vecs <= 2; vecs++ {
			neonTile{neon: a, rows: rows, vecs: vecs}.emit()
		}
	}
}

// neonTile is one tile under construction. Vector registers: the accumulators row by row, then a row of B, then elements
// of A in turn.
type neonTile struct {
	*neon
	rows, vecs int
}

// General registers of a tile. Those of strides are bytes.
const (
	tileK    = "R0"
	tileRA   = "R1"
	tileCA   = "R2"
	tileA    = "R3" // offset in every row of A
	tileB    = "R4"
	tileLDB  = "R5"
	tileC    = "R6"
	tileLDC  = "R7"
	tileAcc  = "R21"
	tileLast = "R22"
	tileOff1 = "R1" // offsets of the tail's lanes, once the rows of A are found
	tileOff2 = "R26"
	tileOldC = "R8" // a pointer to C, once A is done with
)

// rowRegs point to the rows of A, laneRegs to the tail's lanes in B or in C.
var (
	rowRegs  = []string{"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15", "R16", "R17", "R19", "R20"}
	laneRegs = []string{"R23", "R24", "R25"}
)

func (t neonTile) accumulator(i, v int) vreg { return vreg(i*t.vecs + v) }

func (t neonTile) ofB(v int) vreg { return vreg(t.rows*t.vecs + v) }

// ofA is the register for row i's element of A; neighbours use different ones while there are enough.
func (t neonTile) ofA(i int) vreg {
	first := (t.rows + 1) * t.vecs
	return vreg(first + i%(32-first))
}

func (t neonTile) emit() {
	t.begin()
	t.op("CMP", "$4", tileLast)
	t.op("BNE", "tail")
	t.rest()
	t.label("tail")
	t.offsets(tileLast, tileOff1, tileOff2)
	t.tail = true
	t.rest()
	t.tail = false
}

func (t neonTile) begin() {
	at := t.listing.begin(t.symbol(fmt.Sprintf("tile%dx%d", t.rows, t.vecs)), tileArgs(), false)
	for _, p := range [][2]string{
		{"k", tileK}, {"a", rowRegs[0]}, {"ra", tileRA}, {"ca", tileCA}, {"b", tileB}, {"ldb", tileLDB},
		{"c", tileC}, {"ldc", tileLDC}, {"acc", tileAcc}, {"last", tileLast},
	} {
		t.get("MOVD", p[0], at, p[1])
	}
	for i := 1; i < t.rows; i++ {
		t.op("ADD", tileRA, rowRegs[i-1], rowRegs[i])
	}
	t.op("MOVD", "$0", tileA)
	for i := range t.rows * t.vecs {
		t.zero(vreg(i))
	}
}

// rest is all that differs between a tile of whole vectors and one with a tail.
func (t neonTile) rest() {
	suffix := ""
	if t.tail {
		suffix = "Tail"
		t.zero(t.ofB(t.vecs - 1)) // lane 3 stays so
	}
	t.multiply("loop" + suffix)
	t.addOld("put" + suffix)
	t.write()
}

// multiply runs down k.
func (t neonTile) multiply(loop string) {
	t.lanesOf(tileB)
	t.label(loop)
	t.loadRow(t.ofB(0), tileB, tileLDB)
	for i := range t.rows {
		t.op("FMOVS", fmt.Sprintf("(%s)(%s)", rowRegs[i], tileA), t.ofA(i).f())
		for v := range t.vecs {
			t.s4("VFMLAE0", t.ofA(i), t.ofB(v), t.accumulator(i, v))
		}
	}
	t.op("ADD", tileCA, tileA)
	t.op("SUBS", "$1", tileK)
	t.op("BNE", loop)
}

// addOld adds what C holds, where acc asks for it.
func (t neonTile) addOld(put string) {
	t.op("CBZ", tileAcc, put)
	t.op("MOVD", tileC, tileOldC)
	t.lanesOf(tileOldC)
	for i := range t.rows {
		t.loadRow(t.ofB(0), tileOldC, tileLDC)
		for v := range t.vecs {
			t.s4("VFADD", t.ofB(v), t.accumulator(i, v), t.accumulator(i, v))
		}
	}
	t.label(put)
}

// write stores the tile and returns.
func (t neonTile) write() {
	t.lanesOf(tileC)
	for i := range t.rows {
		t.storeRow(t.accumulator(i, 0), tileC, tileLDC)
	}
	t.op("RET")
}

// whole is the number of vectors of a row that have no tail.
func (t neonTile) whole() int {
	if t.tail {
		return t.vecs - 1
	}
	return t.vecs
}

// lanesOf points to the tail's lanes in the row at p.
func (t neonTile) lanesOf(p string) {
	if !t.tail {
		return
	}
	t.op("ADD", fmt.Sprintf("$%d", 16*t.whole()), p, laneRegs[0])
	t.op("ADD", tileOff1, laneRegs[0], laneRegs[1])
	t.op("ADD", tileOff2, laneRegs[0], laneRegs[2])
}

// loadRow loads the vectors of the row at p, and moves p and the tail's lanes on by a row; so does storeRow.
func (t neonTile) loadRow(first vreg, p, ld string) {
	if t.whole() > 0 {
		t.op("VLD1.P", fmt.Sprintf("(%s)(%s)", p, ld), first.list(t.whole()))
	}
	if t.tail {
		for j, q := range laneRegs {
			t.op("VLD1.P", fmt.Sprintf("(%s)(%s)", q, ld), (first + vreg(t.whole())).lane(j))
		}
	}
}

func (t neonTile) storeRow(first vreg, p, ld string) {
	if t.whole() > 0 {
		t.op("VST1.P", first.list(t.whole()), fmt.Sprintf("(%s)(%s)", p, ld))
	}
	if t.tail {
		for j := 2; j >= 0; j-- {
			t.op("VST1.P", (first + vreg(t.whole())).lane(j), fmt.Sprintf("(%s)(%s)", laneRegs[j], ld))
		}
	}
}

// transpose emits transpose8: eight rows of 8·blocks numbers become 8·blocks rows of eight.
func (a *neon) transpose() {
	at := a.begin(transposeSymbol, transposeArgs(), false)
	for _, p := range [][2]string{{"blocks", "R0"}, {"src", rowRegs[0]}, {"ld", "R1"}, {"dst", "R2"}, {"ldd", "R3"}} {
		a.get("MOVD", p[0], at, p[1])
	}
	for i := 1; i < 8; i++ {
		a.op("ADD", "R1", rowRegs[i-1], rowRegs[i])
	}
	a.label("loop")
	for i := range 8 {
		a.op("VLD1.P", "32("+rowRegs[i]+")", vreg(2*i).list(2))
	}
	// Row i is in registers 2i and 2i+1, column k goes to 16+2k and 17+2k.
	for down := range 2 {
		for right := range 2 {
			from, to := vreg(8*down+right), vreg(16+8*right+down)
			a.transpose4([4]vreg{from, from + 2, from + 4, from + 6}, [4]vreg{to, to + 2, to + 4, to + 6})
		}
	}
	for k := range 8 {
		a.op("VST1.P", vreg(16+2*k).list(2), "(R2)(R3)")
	}
	a.op("SUBS", "$1", "R0")
	a.op("BNE", "loop")
	a.op("RET")
}

// transpose4 makes four rows of four the columns; the rows are lost.
func (a *neon) transpose4(row, col [4]vreg) {
	a.s4("VTRN1", row[1], row[0], col[0])
	a.s4("VTRN2", row[1], row[0], col[1])
	a.s4("VTRN1", row[3], row[2], row[0])
	a.s4("VTRN2", row[3], row[2], row[1])
	for i := range 2 { // pairs to halves
		a.op("VTRN2", row[i].d2(), col[i].d2(), col[i+2].d2())
		a.op("VTRN1", row[i].d2(), col[i].d2(), col[i].d2())
	}
}
