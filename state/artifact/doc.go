// Package artifact is a content-addressed store of files and directory trees: whatever a stage makes that is larger
// than a record. Models, checkpoints, datasets and reports live here; the state database holds their digests.
//
// # Layout
//
//	<dir>/
//	  sha256/ab/abcdef…     a file, or a tree as a plain directory
//	  tmp/put-*/data        what a Put has not finished
//	  tmp/gone-*            what a Remove has not finished deleting
//	  damaged/abcdef…-1     bytes that no longer gave their digest, when something good took their place
//
// A file's digest is the SHA-256 of its bytes. A tree's digest is the SHA-256 of its manifest (see tree.go), which
// lists every file by path, size, executable bit and SHA-256. Both are written "sha256:<64 hex digits>". The manifest
// is not stored: it follows from the bytes, and so a tree in the store looks exactly like the directory that went in.
//
// # What a reader may rely on
//
//   - An entry is visible under its digest only when it is complete. It is written below tmp, synced, renamed, and the
//     directory that holds it is synced (invariant M11); all of it in one function, publish.
//   - An entry never changes. Its files are read-only, and what could still be written through another name or another
//     descriptor is copied, not moved.
//   - Bytes are hashed on the way in. Inspect hashes them again where the time or the mode of a file says that somebody
//     touched it; a disk that rots is noticed by Verify. A damaged entry never counts as there for a Put.
//
// # Caveats
//
//   - PutFile and PutTree leave their source alone. MoveFile and MoveTree consume it, by a rename where the store is on
//     the same file system; whoever wrote the source must have closed it.
//   - Symbolic links, devices, sockets and pipes are refused: an artifact holds everything that it is.
//   - Empty directories are not part of a tree, nor are owners, times and permissions other than the executable bit.
//   - Any number of goroutines and processes may Put and read at once. Remove, GC and Sweep need the caller to hold the
//     operation lock: Sweep deletes what a Put in another process is still writing.
package artifact
