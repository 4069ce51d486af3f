package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/syntax"
)

// decoder fills a Config from a tree by the tags of its types.
type decoder struct {
	config *Config
	errs   []*Error
}

func (d *decoder) fail(at syntax.Span, format string, args ...any) {
	d.errs = append(d.errs, &Error{at, fmt.Sprintf(format, args...)})
}

// document decodes the root; an empty mapping or null is an empty file.
func (d *decoder) document(root *node) {
	if root.leaf != nil && len(root.leaf.Path) == 0 {
		if root.leaf.Kind != syntax.Null && root.leaf.Kind != syntax.EmptyMap {
			d.fail(root.leaf.Span, "the file is a mapping of %s", strings.Join(fieldNames(reflect.TypeFor[Config]()), ", "))
		}
		return
	}
	d.value(root, reflect.ValueOf(d.config).Elem(), reflect.StructField{}, "the file")
}

// value decodes n into v; tag is the field's that holds v, name what messages call it.
func (d *decoder) value(n *node, v reflect.Value, tag reflect.StructField, name string) {
	if !n.twice.IsZero() {
		d.fail(n.twice, "%s stands twice; keep one", name)
	}
	if n.leaf != nil && n.leaf.Kind == syntax.Null {
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[Date]():
		d.date(n, v, name)
	case v.Kind() == reflect.Struct:
		d.object(n, v, name)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, tag, name)
	case v.Kind() == reflect.Slice:
		d.list(n, v, tag, name)
	default:
		d.text(n, v, tag, name)
	}
}

func (d *decoder) object(n *node, v reflect.Value, name string) {
	if !d.isMapping(n, name) {
		return
	}
	known := fieldNames(v.Type())
	for _, child := range n.fields {
		field, ok := fieldOf(v.Type(), child.key)
		if !ok {
			d.fail(child.at, "unknown key %q in %s%s", child.key, name, orNearest(child.key, known))
			continue
		}
		d.value(child, v.FieldByIndex(field.Index), field, child.key)
	}
	if ig, ok := v.Addr().Interface().(*Ignore); ok {
		d.ignored(n, ig)
	}
	d.required(n, v, name)
}

// ignored keeps where an ignore's rule stands, for [Config.Check].
func (d *decoder) ignored(n *node, ig *Ignore) {
	var at syntax.Span
	for _, child := range n.fields {
		if child.key == "rule" && child.leaf != nil {
			at = child.leaf.Span
		}
	}
	d.config.ignore = append(d.config.ignore, at)
	if len(n.fields) > 0 {
		ig.Span = n.fields[0].at
	}
}

func (d *decoder) required(n *node, v reflect.Value, name string) {
	for _, field := range reflect.VisibleFields(v.Type()) {
		why := field.Tag.Get("required")
		if why == "" || strings.TrimSpace(v.FieldByIndex(field.Index).String()) != "" {
			continue
		}
		at := n.at
		if len(n.fields) > 0 {
			at = n.fields[0].at
		}
		d.fail(at, "%s without %s; %s", name, jsonName(field), why)
	}
}

func (d *decoder) mapping(n *node, v reflect.Value, tag reflect.StructField, name string) {
	if !d.isMapping(n, name) {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, child := range n.fields {
		item := reflect.New(v.Type().Elem()).Elem()
		d.key(child, tag)
		if tag.Tag.Get("enum") != "" {
			d.config.rules[child.key] = child.at
			d.value(child, item, tag, child.key)
		} else {
			d.value(child, item, reflect.StructField{}, child.key)
		}
		v.SetMapIndex(reflect.ValueOf(child.key), item)
	}
}

func (d *decoder) list(n *node, v reflect.Value, tag reflect.StructField, name string) {
	switch {
	case n.leaf != nil && n.leaf.Kind == syntax.EmptyList:
		return
	case len(n.items) == 0 || n.leaf != nil:
		d.fail(n.place(), "%s is a list; write a \"- \" before each element", name)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		if item.leaf != nil && item.leaf.Kind == syntax.Null {
			d.fail(item.place(), "an empty entry in %s; fill or remove it", name)
			continue
		}
		d.value(item, v.Index(i), tag, "an entry of "+name)
	}
}

func (d *decoder) isMapping(n *node, name string) bool {
	if n.leaf != nil && n.leaf.Kind == syntax.EmptyMap {
		return true
	}
	if n.leaf != nil || len(n.items) > 0 {
		d.fail(n.place(), "%s is a mapping of keys to values", name)
		return false
	}
	return true
}

// text decodes a string. Numbers and booleans are refused, as their spelling is lost
// on other readers; but for off, which older YAML takes for a boolean.
func (d *decoder) text(n *node, v reflect.Value, tag reflect.StructField, name string) {
	if n.leaf == nil {
		d.fail(n.place(), "%s is text, not a list or mapping", name)
		return
	}
	s := n.leaf.Value
	enum := tag.Tag.Get("enum")
	isOff := strings.Contains(","+enum+",", ",off,") && (strings.EqualFold(s, "off") || strings.EqualFold(s, "false"))
	switch {
	case isOff && (n.leaf.Kind == syntax.Bool || n.leaf.Kind == syntax.String):
		s = "off"
	case n.leaf.Kind == syntax.Bool, n.leaf.Kind == syntax.Int, n.leaf.Kind == syntax.Float:
		d.fail(n.place(), "%s is text; put it in quotes", name)
		return
	case n.leaf.Kind == syntax.EmptyMap, n.leaf.Kind == syntax.EmptyList:
		d.fail(n.place(), "%s is text, not a list or mapping", name)
		return
	}
	if enum != "" && !strings.Contains(","+enum+",", ","+s+",") {
		allowed := strings.Split(enum, ",")
		d.fail(n.place(), "%s is one of %s%s", name, strings.Join(allowed, ", "), didYouMean(s, allowed))
		return
	}
	if err := check(tag.Tag.Get("check"), s); err != nil {
		d.fail(n.place(), "%s: %v", name, err)
	}
	v.SetString(s)
}

func (d *decoder) date(n *node, v reflect.Value, name string) {
	if n.leaf != nil {
		if day, err := time.Parse(time.DateOnly, n.leaf.Value); err == nil {
			v.Set(reflect.ValueOf(Date{day}))
			return
		}
	}
	d.fail(n.place(), "%s is a day; write it like 2027-01-31", name)
}

// place is where a message about the value itself points.
func (n *node) place() syntax.Span {
	switch {
	case n.leaf != nil:
		return n.leaf.Span
	case len(n.items) > 0:
		return n.items[0].at
	}
	return n.at
}

// key checks the key of a map, whose name the file's author chose.
func (d *decoder) key(n *node, tag reflect.StructField) {
	switch tag.Tag.Get("check") {
	case "name":
		if err := check("name", n.key); err != nil {
			d.fail(n.at, "%q: %v", n.key, err)
		}
	case "only":
		if err := CheckGlob(n.key); err != nil {
			d.fail(n.at, "glob %q: %v", n.key, err)
		}
	}
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for _, f := range reflect.VisibleFields(t) {
		if name := jsonName(f); f.IsExported() && name == key && name != "-" && name != "" {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name := jsonName(f); f.IsExported() && name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func didYouMean(s string, allowed []string) string {
	if hint := orNearest(s, allowed); strings.HasPrefix(hint, "; did") {
		return hint
	}
	return ""
}
