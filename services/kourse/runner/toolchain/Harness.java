import java.io.*;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.*;
import javax.tools.*;

/** Compiles Main.java from standard input to classes on standard output, or runs such classes. */
public class Harness {
    public static void main(String[] mode) throws Throwable {
        DataInputStream in = new DataInputStream(new FileInputStream(FileDescriptor.in));
        byte[] program = new byte[(int) in.readLong()];
        in.readFully(program);
        if (mode[0].equals("compile")) {
            System.exit(Compiler.compile(new String(program, StandardCharsets.UTF_8)) ? 0 : 1);
        }
        Method entry = new Loader(program).loadClass("Main").getMethod("main", String[].class);
        entry.setAccessible(true);
        try {
            entry.invoke(null, (Object) new String[0]);
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
    }

    private static class Loader extends ClassLoader {
        private final Map<String, byte[]> classes = new HashMap<>();

        Loader(byte[] program) throws IOException {
            DataInputStream in = new DataInputStream(new ByteArrayInputStream(program));
            for (int left = in.readInt(); left > 0; left--) {
                String name = in.readUTF();
                byte[] code = new byte[in.readInt()];
                in.readFully(code);
                classes.put(name, code);
            }
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] code = classes.get(name);
            if (code == null) throw new ClassNotFoundException(name);
            return defineClass(name, code, 0, code.length);
        }
    }

    private static class Compiler {
        static boolean compile(String source) throws IOException {
            JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
            Map<String, ByteArrayOutputStream> classes = new TreeMap<>();
            JavaFileManager files = new ForwardingJavaFileManager<JavaFileManager>(
                    compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
                @Override
                public JavaFileObject getJavaFileForOutput(
                        Location where, String name, JavaFileObject.Kind kind, FileObject sibling) {
                    return new SimpleJavaFileObject(URI.create("mem:///" + name.replace('.', '/')), kind) {
                        @Override
                        public OutputStream openOutputStream() {
                            ByteArrayOutputStream code = new ByteArrayOutputStream();
                            classes.put(name, code);
                            return code;
                        }
                    };
                }
            };
            JavaFileObject main = new SimpleJavaFileObject(URI.create("mem:///Main.java"), JavaFileObject.Kind.SOURCE) {
                @Override
                public CharSequence getCharContent(boolean ignore) {
                    return source;
                }
            };
            List<String> options = List.of("-proc:none", "-Xlint:none", "-g:source,lines");
            PrintWriter errors = new PrintWriter(System.err);
            boolean done = compiler.getTask(errors, files, null, options, null, List.of(main)).call();
            errors.flush();
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
            out.writeInt(classes.size());
            for (Map.Entry<String, ByteArrayOutputStream> each : classes.entrySet()) {
                out.writeUTF(each.getKey());
                out.writeInt(each.getValue().size());
                each.getValue().writeTo(out);
            }
            out.flush();
            return done;
        }
    }
}
