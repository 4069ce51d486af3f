package wiring

import (
	"reflect"
	"strings"
	"unsafe"

	"github.com/sealward/sealward/internal/syntax"
)

// Detach gives facts memory of their own. Their strings are cut out of the file's
// text, and their leaves' paths out of the parser's memory: as long as the facts are
// kept, so would be all of it.
func (fs *Facts) Detach() { detacher{fs.Path}.value(reflect.ValueOf(fs).Elem()) }

// detacher copies every string but the file's name, which many spans share.
type detacher struct{ name string }

var pathType = reflect.TypeFor[syntax.Path]()

func (d detacher) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); s != "" {
			v.SetString(d.text(s))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			d.value(v.Field(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			d.value(v.Elem())
		}
	case reflect.Slice:
		if v.Type() == pathType && v.Len() > 0 {
			v.Set(reflect.AppendSlice(reflect.MakeSlice(pathType, 0, v.Len()), v))
		}
		for i := range v.Len() {
			d.value(v.Index(i))
		}
	case reflect.Map:
		d.mapping(v)
	}
}

func (d detacher) mapping(v reflect.Value) {
	if v.IsNil() {
		return
	}
	own := reflect.MakeMapWithSize(v.Type(), v.Len())
	for it := v.MapRange(); it.Next(); {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.Set(it.Key())
		value.Set(it.Value())
		d.value(key)
		d.value(value)
		own.SetMapIndex(key, value)
	}
	v.Set(own)
}

func (d detacher) text(s string) string {
	if len(s) == len(d.name) && unsafe.StringData(s) == unsafe.StringData(d.name) {
		return s
	}
	return strings.Clone(s)
}
