/** EventBridge Scheduler in this process: one-time schedules, which send to the fake's standard queue. */
import type { Clock, Timers } from '../../../lib/ports/system.ts';
import { FakeService, json, jsonError } from './fake-service.ts';

export interface Schedule {
  readonly name: string;
  readonly at: string;
  readonly Target: { readonly Arn: string; readonly RoleArn: string; readonly Input: string };
  readonly ActionAfterCompletion: string;
}

export class FakeScheduler {
  readonly schedules = new Map<string, Schedule>();
  readonly service: FakeService;

  constructor({ clock, timers }: { readonly clock: Clock; readonly timers: Timers }, send: (text: string) => void) {
    this.service = new FakeService(
      () => 'CreateSchedule',
      async ({ path, body }) => {
        const name = path.split('/').at(-1)!;
        const { ScheduleExpression: expression, Target, ActionAfterCompletion } = JSON.parse(body.toString());
        const at = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(expression)?.[1];
        if (at === undefined || !/^[0-9a-zA-Z-_.]{1,64}$/.test(name)) return jsonError('ValidationException');
        if (this.schedules.has(name)) return jsonError('ConflictException', 409);
        this.schedules.set(name, { name, at, Target, ActionAfterCompletion });
        timers.after(Date.parse(`${at}Z`) - clock.now(), () => {
          this.schedules.delete(name);
          send(Target.Input);
        });
        return json({ ScheduleArn: `arn:aws:scheduler:eu-west-1:000000000000:schedule/group/${name}` });
      },
    );
  }
}
