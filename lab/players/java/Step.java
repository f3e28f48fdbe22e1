import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A step of any kind; scenario/step.ts says which fields belong to which. */
record Step(Map<String, Object> of) {
  String op() {
    return (String) of.get("op");
  }

  int number(String field) {
    return of.get(field) instanceof Double number ? number.intValue() : 0;
  }

  String text(String field) {
    return of.get(field) instanceof String text ? text : "";
  }

  /** The steps, sends or objects in it. */
  List<Step> inner(String field) {
    return listOf(of.get(field));
  }

  /** Of a send: the answers that its message asks for. */
  String order() {
    StringBuilder order = new StringBuilder();
    for (Object reply : (List<?>) of.get("replies")) {
      List<?> pair = (List<?>) reply;
      if (order.length() > 0) order.append('_');
      order.append(whole(pair.get(0))).append('.').append(whole(pair.get(1)));
    }
    return order.append('|').toString();
  }

  private static long whole(Object number) {
    return ((Double) number).longValue();
  }

  @SuppressWarnings("unchecked")
  static List<Step> listOf(Object array) {
    List<Step> steps = new ArrayList<>();
    if (array instanceof List<?> list) {
      for (Object one : list) steps.add(new Step((Map<String, Object>) one));
    }
    return steps;
  }
}
