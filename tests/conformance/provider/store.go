package main

// The objects of the provider: one JSON file each, and a ledger of everything that was done to them. A test reads both
// as the truth, and edits or removes files to make drift.
//
//	DIRECTORY/<type>/<id>.json   {"type","id","name","attributes":{…},"private":"…"}
//	DIRECTORY/ledger.jsonl       {"started","time","op","type","id","name","outcome"} in order of completion

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// store is the directory that holds the objects.
type store struct {
	directory string
}

// object is what one file holds. Private is the token that the framework resources keep in private state as well.
type object struct {
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Attributes map[string]any `json:"attributes"`
	Private    string         `json:"private,omitempty"`
}

// text is a string attribute of the object, "" when absent.
func (o *object) text(attribute string) string {
	value, _ := o.Attributes[attribute].(string)
	return value
}

func newStore(directory string) (*store, error) {
	if directory == "" {
		directory = os.Getenv("CONFORMANCE_DIRECTORY")
	}
	if directory == "" {
		return nil, errors.New("set directory, or CONFORMANCE_DIRECTORY, to the folder that holds the objects")
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	return &store{directory: directory}, nil
}

// newID gives an id that no other object has, so that a replacement can be told from its predecessor of the same name.
func newID(name string) string {
	suffix := make([]byte, 4)
	_, _ = rand.Read(suffix)
	return name + "-" + hex.EncodeToString(suffix)
}

func (s *store) file(kind, id string) string {
	return filepath.Join(s.directory, kind, url.PathEscape(id)+".json")
}

// put writes the object by renaming a finished file over the old one: a killed provider leaves the one or the other.
func (s *store) put(o *object) error {
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	path := s.file(o.Type, o.ID)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	draft := path + ".draft"
	if err := os.WriteFile(draft, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, path)
}

// get gives nil without an error when there is no such object.
func (s *store) get(kind, id string) (*object, error) {
	return load(s.file(kind, id))
}

func load(path string) (*object, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var o object
	exact := json.NewDecoder(bytes.NewReader(text))
	exact.UseNumber()
	if err := exact.Decode(&o); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &o, nil
}

// remove is content when the object is gone already.
func (s *store) remove(kind, id string) error {
	err := os.Remove(s.file(kind, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// all gives every object of a type.
func (s *store) all(kind string) ([]*object, error) {
	paths, err := filepath.Glob(filepath.Join(s.directory, kind, "*.json"))
	if err != nil {
		return nil, err
	}
	var found []*object
	for _, path := range paths {
		o, err := load(path)
		if err != nil {
			return nil, err
		}
		if o != nil {
			found = append(found, o)
		}
	}
	return found, nil
}

// note writes a ledger line about something that is no object. A ledger that cannot be written fails the test that reads it.
func (s *store) note(op string, about *object) {
	c := &call{store: s, op: op, object: about, started: time.Now().UTC()}
	_ = c.end("done")
}

// find gives the first object of that name, of any type when kind is empty; nil when there is none.
func (s *store) find(kind, name string) (*object, error) {
	if kind == "" {
		kind = "*"
	}
	paths, err := filepath.Glob(filepath.Join(s.directory, kind, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		o, err := load(path)
		if err != nil {
			return nil, err
		}
		if o != nil && o.Name == name {
			return o, nil
		}
	}
	return nil, nil
}

// call is one create, read, update or delete under way.
type call struct {
	store   *store
	op      string
	object  *object
	started time.Time
}

// begin starts a call: it waits and crashes as the knobs of the object ask, so everything after it is the work itself.
// A read never waits. A wait that ends early, by a timeout or because the engine asked to stop, fails the call.
func (s *store) begin(ctx context.Context, op string, o *object) (*call, error) {
	c := &call{store: s, op: op, object: o, started: time.Now().UTC()}
	c.crashIf(op)
	text := o.text("delay")
	if text == "" || op == "read" {
		return c, nil
	}
	delay, err := time.ParseDuration(text)
	if err != nil {
		return nil, fmt.Errorf("delay: %w", err)
	}
	select {
	case <-time.After(delay):
		return c, nil
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("gave up before the delay of %s was over: %w", delay, ctx.Err()), c.end("failed"))
	}
}

// crashIf ends the process the way a bug in a provider does.
func (c *call) crashIf(moment string) {
	if c.object.text("crash") == moment {
		panic("conformance: crash in " + moment + " as asked")
	}
}

// end writes the ledger line of the call; outcome is "done", "partial" or "failed". One write of one short line in
// append mode, so that several provider processes can share a ledger.
func (c *call) end(outcome string) error {
	line, err := json.Marshal(map[string]string{
		"started": c.started.Format(time.RFC3339Nano),
		"time":    time.Now().UTC().Format(time.RFC3339Nano),
		"op":      c.op,
		"type":    c.object.Type,
		"id":      c.object.ID,
		"name":    c.object.Name,
		"outcome": outcome,
	})
	if err != nil {
		return err
	}
	path := filepath.Join(c.store.directory, "ledger.jsonl")
	ledger, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = ledger.Write(append(line, '\n'))
	return errors.Join(err, ledger.Close())
}

// errPartial says that a call changed the object and then failed.
var errPartial = errors.New("failed after the change, as asked")

// errRefused says that a call failed and changed nothing.
var errRefused = errors.New("failed before the change, as asked")

// create stores a new object under a fresh id, or fails as `fail_create` asks: "before" or "partial".
func (s *store) create(ctx context.Context, o *object) error {
	c, err := s.begin(ctx, "create", o)
	if err != nil {
		return err
	}
	if o.text("fail_create") == "before" {
		return errors.Join(errRefused, c.end("failed"))
	}
	o.ID = newID(o.Name)
	if err := s.put(o); err != nil {
		return err
	}
	if o.text("fail_create") == "partial" {
		return errors.Join(errPartial, c.end("partial"))
	}
	if err := c.end("done"); err != nil {
		return err
	}
	c.crashIf("after_create")
	return nil
}

// read gives nil when the object is gone. Its knobs are those of the file, so a test can turn a crash off again.
func (s *store) read(ctx context.Context, kind, id string) (*object, error) {
	o, err := s.get(kind, id)
	if err != nil {
		return nil, err
	}
	if o == nil {
		gone := &call{store: s, op: "read", object: &object{Type: kind, ID: id}, started: time.Now().UTC()}
		return nil, gone.end("gone")
	}
	c, err := s.begin(ctx, "read", o)
	if err != nil {
		return nil, err
	}
	return o, c.end("done")
}

// update stores the new attributes, or fails as `fail_update` asks: "before", or "partial" after storing them.
func (s *store) update(ctx context.Context, o *object) error {
	c, err := s.begin(ctx, "update", o)
	if err != nil {
		return err
	}
	old, err := s.get(o.Type, o.ID)
	if err != nil {
		return err
	}
	if old == nil {
		return errors.Join(fmt.Errorf("there is no %s %q to update", o.Type, o.ID), c.end("failed"))
	}
	if o.text("fail_update") == "before" {
		return errors.Join(errRefused, c.end("failed"))
	}
	if err := s.put(o); err != nil {
		return err
	}
	if o.text("fail_update") == "partial" {
		return errors.Join(errPartial, c.end("partial"))
	}
	return c.end("done")
}

// delete removes the object, or fails as `fail_delete` in its *file* asks: "always", or "once" and not again.
func (s *store) delete(ctx context.Context, kind, id string) error {
	o, err := s.get(kind, id)
	if err != nil {
		return err
	}
	if o == nil {
		o = &object{Type: kind, ID: id}
	}
	c, err := s.begin(ctx, "delete", o)
	if err != nil {
		return err
	}
	switch o.text("fail_delete") {
	case "once":
		o.Attributes["fail_delete"] = ""
		return errors.Join(errRefused, s.put(o), c.end("failed"))
	case "always":
		return errors.Join(errRefused, c.end("failed"))
	}
	if err := s.remove(kind, id); err != nil {
		return err
	}
	return c.end("done")
}

// knobs are the attributes by which a test asks for trouble; every resource has them.
var knobs = map[string]string{
	"fail_create": `"before": error and no object; "partial": the object is made, then an error.`,
	"fail_update": `"before": error and no change; "partial": the object is changed, then an error.`,
	"fail_delete": `"once" or "always": error and the object stays.`,
	"delay":       `How long create, update and delete take, such as "250ms".`,
	"crash":       `The call that ends the process: "plan", "create", "after_create", "read", "update" or "delete".`,
}

// inline gives the text of an error on one line; that of joined errors comes on several.
func inline(err error) string {
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
