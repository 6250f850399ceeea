import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

/** Starts a real OpenSearch node from HOME (HOME/config/opensearch.yml, HOME/plugins, HOME/data), without OpenSearch's Bootstrap (which refuses root). */
public final class Launcher {
    static final class EmbeddedNode extends Node {
        EmbeddedNode(Environment env, List<Class<? extends Plugin>> classpathPlugins) {
            super(env, classpathPlugins, true);
        }
    }

    public static void main(String[] args) throws Exception {
        Path home = Paths.get(args[0]).toAbsolutePath();
        Map<String, String> props = new HashMap<>();
        props.put("path.home", home.toString());
        for (int i = 1; i < args.length; i++) { // further settings as key=value
            int eq = args[i].indexOf('=');
            props.put(args[i].substring(0, eq), args[i].substring(eq + 1));
        }
        Environment env = InternalSettingsPreparer.prepareEnvironment(
            Settings.EMPTY, props, home.resolve("config"), () -> "node-1");
        LogConfigurator.setNodeName(Node.NODE_NAME_SETTING.get(env.settings()));
        LogConfigurator.configure(env);
        List<Class<? extends Plugin>> plugins = new ArrayList<>();
        try { // the plain transport, when lib-netty is on the class path
            plugins.add(Class.forName("org.opensearch.transport.Netty4Plugin").asSubclass(Plugin.class));
        } catch (ClassNotFoundException e) {
            // the security plugin brings its own
        }
        Node node = new EmbeddedNode(env, plugins);
        CountDownLatch done = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try { node.close(); } catch (Exception e) { e.printStackTrace(); }
            done.countDown();
        }));
        node.start();
        System.out.println("READY " + node.settings().get("node.name"));
        System.out.flush();
        done.await();
    }
}
