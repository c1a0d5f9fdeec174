// Reads a calendar with ical.js, the parser of Thunderbird, and prints what it understood.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(process.argv[2], "utf-8")));
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component, { strictExceptions: true });
  const alarms = component.getAllSubcomponents("valarm").map((alarm) => {
    const trigger = alarm.getFirstPropertyValue("trigger");
    return trigger instanceof ICAL.Time ? trigger.toString() : `no instant: ${trigger}`;
  });
  return {
    uid: event.uid,
    summary: event.summary,
    starts: event.startDate.toString(),
    ends: event.endDate.toString(),
    stamped: component.getFirstPropertyValue("dtstamp").toString(),
    alarms,
  };
});
console.log(JSON.stringify(events));
