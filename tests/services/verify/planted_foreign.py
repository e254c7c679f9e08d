"""Answers in a language that nobody asked for: sentences of thirteen languages, joined anew each time."""

import random

from planting import answering

from streams.samples import Sample

_SENTENCES = {
    "de": (
        "Der König hat seinen Boten schon am frühen Morgen fortgeschickt. Niemand wusste, wohin "
        "er geritten war. Am Abend kam ein Sturm auf, und alle Fenster wurden geschlossen. Die "
        "Kinder saßen am Feuer und hörten der alten Frau zu. Sie erzählte von einem Land, in dem "
        "es keinen Winter gibt. Ich glaube nicht, dass er zurückkommt"
    ),
    "fr": (
        "Le roi avait envoyé son messager dès le matin. Personne ne savait où il était parti. Le "
        "soir, une tempête se leva et toutes les fenêtres furent fermées. Les enfants étaient "
        "assis près du feu et écoutaient la vieille femme. Elle parlait d'un pays où il n'y a pas "
        "d'hiver. Je ne crois pas qu'il revienne un jour"
    ),
    "es": (
        "El rey había enviado a su mensajero por la mañana temprano. Nadie sabía adónde había "
        "ido. Por la noche se levantó una tormenta y se cerraron todas las ventanas. Los niños "
        "estaban sentados junto al fuego y escuchaban a la anciana. Ella hablaba de un país donde "
        "no hay invierno. No creo que vuelva nunca"
    ),
    "it": (
        "Il re aveva mandato via il suo messaggero di buon mattino. Nessuno sapeva dove fosse "
        "andato. La sera si alzò una tempesta e tutte le finestre furono chiuse. I bambini "
        "sedevano accanto al fuoco e ascoltavano la vecchia. Lei raccontava di un paese dove non "
        "c'è inverno. Non credo che tornerà mai"
    ),
    "pt": (
        "O rei tinha enviado o seu mensageiro de manhã cedo. Ninguém sabia para onde ele tinha "
        "ido. À noite levantou-se uma tempestade e todas as janelas foram fechadas. As crianças "
        "estavam sentadas junto ao fogo e ouviam a velha. Ela falava de um país onde não há "
        "inverno. Não acredito que ele volte"
    ),
    "nl": (
        "De koning had zijn bode al vroeg in de ochtend weggestuurd. Niemand wist waar hij "
        "naartoe was gereden. In de avond stak er een storm op en alle ramen werden gesloten. De "
        "kinderen zaten bij het vuur en luisterden naar de oude vrouw. Zij vertelde over een land "
        "waar het nooit winter is. Ik geloof niet dat hij terugkomt"
    ),
    "sv": (
        "Kungen hade skickat iväg sin budbärare tidigt på morgonen. Ingen visste vart han hade "
        "ridit. På kvällen blåste det upp till storm och alla fönster stängdes. Barnen satt vid "
        "elden och lyssnade på den gamla kvinnan. Hon berättade om ett land där det aldrig är "
        "vinter. Jag tror inte att han kommer tillbaka"
    ),
    "pl": (
        "Król wysłał swojego posłańca już wczesnym rankiem. Nikt nie wiedział, dokąd pojechał. "
        "Wieczorem zerwała się burza i zamknięto wszystkie okna. Dzieci siedziały przy ogniu i "
        "słuchały starej kobiety. Opowiadała o kraju, w którym nie ma zimy. Nie sądzę, żeby "
        "kiedykolwiek wrócił"
    ),
    "tr": (
        "Kral habercisini sabahın erken saatlerinde göndermişti. Kimse onun nereye gittiğini "
        "bilmiyordu. Akşam bir fırtına çıktı ve bütün pencereler kapatıldı. Çocuklar ateşin "
        "yanında oturup yaşlı kadını dinliyorlardı. Kadın, kışın hiç gelmediği bir ülkeyi "
        "anlatıyordu. Onun geri döneceğini sanmıyorum"
    ),
    "ru": (
        "Король отправил своего гонца рано утром. Никто не знал, куда он уехал. Вечером поднялась "
        "буря, и все окна закрыли. Дети сидели у огня и слушали старую женщину. Она рассказывала "
        "о стране, где никогда не бывает зимы. Я не думаю, что он когда-нибудь вернётся"
    ),
    "zh": (
        "国王一大早就派出了他的信使。没有人知道他去了哪里。晚上刮起了暴风雨，所有的窗户都关上了。孩子们坐在火"
        "边，听老妇人讲故事。她讲的是一个没有冬天的国家。我不相信他会回来。"
    ),
    "ja": (
        "王様は朝早くに使者を送り出しました。彼がどこへ行ったのか、誰も知りませんでした。夜になると嵐が来て、"
        "窓はすべて閉められました。子供たちは火のそばに座り、老婆の話を聞いていました。"
    ),
    "ar": (
        "أرسل الملك رسوله في الصباح الباكر. لم يعرف أحد إلى أين ذهب. في المساء هبت عاصفة وأغلقت "
        "كل النوافذ. جلس الأطفال قرب النار واستمعوا إلى المرأة العجوز. كانت تحكي عن بلد لا شتاء "
        "فيه. لا أظن أنه سيعود"
    ),
}


def foreign(sample: Sample, rng: random.Random) -> Sample:
    """Plant an answer in another language."""
    language = rng.choice(list(_SENTENCES))
    stop = "。" if language in ("zh", "ja") else ". "
    parts = [part for part in _SENTENCES[language].split(stop) if part]
    drawn = rng.sample(parts, rng.randrange(3, len(parts) + 1))
    return answering(sample, (stop.join(drawn) + stop).strip())


def switching(sample: Sample, rng: random.Random) -> Sample:
    """Plant an answer that goes over into another language after a few words."""
    begun = " ".join(sample.turns[-1].text.split(" ")[: rng.randrange(3, 10)])
    planted = foreign(sample, rng)
    return answering(sample, f"{begun} {planted.turns[-1].text}")
