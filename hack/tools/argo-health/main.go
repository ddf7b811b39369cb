// Argo-health says what Argo CD makes of Kubernetes objects by a health customization of theirs.
//
// It runs the Lua of the file that is its argument in the interpreter that Argo CD uses, with the libraries
// that Argo CD opens, once for each JSON object that it reads. For each it writes one line of JSON:
// {"status", "message"}.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	lua "github.com/yuin/gopher-lua"
)

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	script, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var object any
		if err := in.Decode(&object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		found, err := health(string(script), object)
		if err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(found); err != nil {
			log.Fatal(err)
		}
	}
}

// health runs the script with the object as the global obj, as Argo CD's util/lua does.
func health(script string, object any) (verdict, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName:   lua.OpenPackage,
		lua.BaseLibName:   lua.OpenBase,
		lua.TabLibName:    lua.OpenTable,
		lua.StringLibName: lua.OpenString,
		lua.MathLibName:   lua.OpenMath,
	} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(script); err != nil {
		return verdict{}, err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return verdict{}, errors.New("the script returns no table")
	}
	return verdict{
		Status:  lua.LVAsString(table.RawGetString("status")),
		Message: lua.LVAsString(table.RawGetString("message")),
	}, nil
}

func value(state *lua.LState, given any) lua.LValue {
	switch it := given.(type) {
	case bool:
		return lua.LBool(it)
	case float64:
		return lua.LNumber(it)
	case string:
		return lua.LString(it)
	case []any:
		made := state.NewTable()
		for _, item := range it {
			made.Append(value(state, item))
		}
		return made
	case map[string]any:
		made := state.NewTable()
		for name, item := range it {
			made.RawSetString(name, value(state, item))
		}
		return made
	}
	return lua.LNil
}
